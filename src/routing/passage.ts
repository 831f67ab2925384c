import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { AckScope } from './ack-scope.ts';
import type { DeliveryPlan } from './delivery-plan.ts';
import type { Destination } from './destination.ts';
import type { ArchivedForRecipients, Session } from './session.ts';

/** How a stanza came to be routed. Plain data, so that it can cross to another process. */
export interface RouteOptions {
  /** The acknowledgment that waits for everything the stanza causes. */
  readonly ackScope?: AckScope | undefined;
  /** A client of this server has just sent it. */
  readonly fromClient?: boolean;
  /** The server has routed it before: it returns from an ended session, from a queue, or from before a restart. */
  readonly again?: EarlierJourney | undefined;
  /** The addresses that have forwarded it, in order. */
  readonly forwardedBy?: readonly Jid[] | undefined;
  /** The operator has sent it, in any name. Its sender may learn everything about the recipient. */
  readonly byOperator?: boolean;
  /** The server itself sends it: the stanza is not forwarded, recorded, or subject to policies. */
  readonly own?: boolean;
  /** An archive keeps the message for its recipient. */
  readonly archived?: ArchivedForRecipients;
  /** It answers a stanza from the session that it is addressed to: filters do not apply, and no other session gets it. */
  readonly reply?: boolean;
}

/** The earlier attempt to deliver a stanza that is routed again. */
interface EarlierJourney {
  /** When it was first sent to a recipient, milliseconds since 1970; undefined if it never was. */
  readonly sentAtMs?: number | undefined;
  /** The disk has a copy, which stays there if this attempt fails. */
  readonly hasCopy: boolean;
}

/** One message on its way through the server. */
export interface Passage {
  readonly message: Stanza;
  /** Verified. */
  readonly sender: Jid;
  readonly recipient: Jid;
  readonly destination: Destination;
  /** The session of the client that has just sent it. */
  readonly session: Session | undefined;
  readonly options: RouteOptions;
}

/** A message that was judged. Nothing has happened with it yet. */
export interface JudgedPassage extends Passage {
  /** The message as its recipient gets it, with the stamps of earlier recorders. */
  readonly message: Stanza;
  /** The message as the sender's other devices and archive get it. */
  readonly copyForSender: Stanza;
  readonly plan: DeliveryPlan;
}

/** Whether the message is new: neither routed before, nor forwarded. */
export function isFirstJourney({ options }: Pick<Passage, 'options'>): boolean {
  return options.again === undefined && (options.forwardedBy ?? []).length === 0;
}
