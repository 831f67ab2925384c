import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { AckScope } from './ack-scope.ts';
import type { DeliveryPlan } from './delivery-plan.ts';
import type { Destination } from './destination.ts';
import type { Session } from './session.ts';

/** How a stanza came to be routed. Plain data, so that it can cross to another process. */
export interface RouteOptions {
  /** Waits for everything that the stanza causes. */
  readonly ackScope?: AckScope | undefined;
  /** A client of this server has sent it just now. */
  readonly fromClient?: boolean;
  /** The server has routed it before: it comes back from a session that has ended, from a queue, or from before a restart. */
  readonly again?: EarlierJourney | undefined;
  /** The addresses that have forwarded it, the first one first. */
  readonly forwardedBy?: readonly Jid[] | undefined;
  /** The operator has sent it, in whosever name: everything about it may be told to its sender. */
  readonly byOperator?: boolean;
  /** The server itself says something: the stanza is not forwarded, recorded, or subject to policies. */
  readonly own?: boolean;
  /** It answers a stanza of the session that it is addressed to: filters do not apply, and no other session gets it. */
  readonly reply?: boolean;
}

/** What is known of a stanza that is routed again. */
interface EarlierJourney {
  /** When it was first sent, milliseconds since 1970; absent if it never was. */
  readonly sentAtMs?: number | undefined;
  /** A copy on the disk stays there if it comes to nothing this time. */
  readonly hasCopy: boolean;
}

/** One message on its way through the server. */
export interface Passage {
  readonly message: Stanza;
  /** Verified. */
  readonly sender: Jid;
  readonly recipient: Jid;
  readonly destination: Destination;
  /** The session of the client that has sent it just now. */
  readonly session: Session | undefined;
  readonly options: RouteOptions;
}

/** A message that has been judged; nothing has happened with it yet. */
export interface JudgedPassage extends Passage {
  /** As its recipient gets it: with everything that earlier recorders have added. */
  readonly message: Stanza;
  /** As the sender's other devices and archive get it. */
  readonly copyForSender: Stanza;
  readonly plan: DeliveryPlan;
}

/** Whether the message is new: it was neither routed before nor forwarded to its recipient. */
export function isFirstJourney({ options }: Pick<Passage, 'options'>): boolean {
  return options.again === undefined && (options.forwardedBy ?? []).length === 0;
}
