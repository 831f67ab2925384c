import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { type MessageType, messageType } from '../protocol/stanza-rules.ts';
import type { Service } from './service.ts';
import type { Session } from './session.ts';
import { storabilityOf } from './storability.ts';

/**
 * What the server would do with a message, as a value that exists before anything happens (XEP-0079 §2.2.2).
 * The kinds are the values of AMP's 'deliver' condition, and `remote`: then the recipient's server decides.
 */
export type DeliveryPlan =
  | { readonly kind: 'direct'; readonly sessions: readonly Session[] }
  | { readonly kind: 'stored'; readonly owner: Jid }
  | { readonly kind: 'forward'; readonly to: Jid }
  | { readonly kind: 'gateway'; readonly service: Service }
  | { readonly kind: 'service'; readonly service: Service }
  | { readonly kind: 'remote'; readonly domain: string }
  /** Not delivered. The sender gets `error`; without one, the message is dropped silently. */
  | { readonly kind: 'none'; readonly error?: StanzaError };

/** A local recipient at one moment. */
interface RecipientView {
  readonly exists: boolean;
  /** All connected resources, including those that have sent no presence. */
  readonly sessions: readonly Session[];
  /** The address to which the account forwards its messages. */
  readonly forwardTo?: Jid | undefined;
  /** Whether the store has room for a message. Called only if the message would be stored. */
  readonly hasRoom?: (message: Stanza) => boolean;
  /** Whether the sender may see the recipient's presence, and so may learn from an error that the recipient is offline. */
  readonly isShown?: () => boolean;
}

const silence: DeliveryPlan = { kind: 'none' };

/** Whether a room sends to a client of an occupant. It would take an error for the end of the occupant (XEP-0045 §18.1.2). */
export function isToOccupant({ type }: Stanza, recipient: Jid, sessions: readonly Session[]): boolean {
  return type === 'groupchat' && sessions.some(({ jid }) => jid.equals(recipient));
}

/** Plans a message to a service. */
export function planService(service: Service, message: Stanza, sender: Jid): DeliveryPlan {
  const error = service.absence ?? service.refuses?.(message, sender);
  if (error) return { kind: 'none', error };
  return { kind: service.gateway ? 'gateway' : 'service', service };
}

/** Plans a message to a local account (RFC 6121 §8.5). Pure: reads the view, changes nothing. */
export function planLocal(message: Stanza, to: Jid, recipient: RecipientView): DeliveryPlan {
  const type = messageType(message);
  if (!recipient.exists) return refusal(type);
  if (recipient.forwardTo && (type === 'chat' || type === 'normal'))
    return { kind: 'forward', to: recipient.forwardTo };
  if (to.isBare) return planBare(message, type, to, recipient);
  const exact = recipient.sessions.find((session) => session.jid.resource === to.resource);
  if (exact) return { kind: 'direct', sessions: [exact] };
  // RFC 6121 §8.5.3.2.1: only chat messages go to the account's other resources instead.
  return type === 'chat' ? planBare(message, type, to, recipient) : refusal(type);
}

function planBare(message: Stanza, type: MessageType, to: Jid, recipient: RecipientView): DeliveryPlan {
  const { sessions } = recipient;
  switch (type) {
    case 'chat':
    case 'normal': {
      const chosen = mostAvailable(sessions);
      return chosen.length > 0 ? { kind: 'direct', sessions: chosen } : planAbsent(message, to, recipient);
    }
    case 'headline': {
      const chosen = sessions.filter(acceptsMessages);
      return chosen.length > 0 ? { kind: 'direct', sessions: chosen } : silence;
    }
    case 'groupchat':
    case 'error':
      return refusal(type);
  }
}

/** RFC 6121 §8.5.2.2.1: no session can take a chat or normal message. */
function planAbsent(message: Stanza, to: Jid, recipient: RecipientView): DeliveryPlan {
  switch (storabilityOf(message)) {
    case 'keep': {
      // A message that does not fit is refused now, so that no rule sees a plan to store it (XEP-0160 §2).
      const fits = recipient.hasRoom?.(message) ?? true;
      return fits ? { kind: 'stored', owner: to.bare() } : absenceTold(recipient);
    }
    case 'refuse':
      return absenceTold(recipient);
    case 'forget':
      return silence;
  }
}

/** An error reveals that the recipient is offline, so only senders who may see its presence get one. */
function absenceTold({ isShown }: RecipientView): DeliveryPlan {
  return (isShown?.() ?? true) ? { kind: 'none', error: StanzaError.serviceUnavailable() } : silence;
}

/** RFC 6121 §8.5.1: errors and headlines are dropped silently, all other types are answered. */
function refusal(type: MessageType): DeliveryPlan {
  return type === 'error' || type === 'headline' ? silence : { kind: 'none', error: StanzaError.serviceUnavailable() };
}

/** Whether messages to the bare JID may go to this session: available with a priority that is not negative. */
export function acceptsMessages(session: Session): boolean {
  return session.presence.available !== undefined && session.presence.priority >= 0;
}

/** The sessions that share the highest non-negative priority (RFC 6121 §8.5.2.1.1). */
function mostAvailable(sessions: readonly Session[]): readonly Session[] {
  let highest = 0;
  let chosen: Session[] = [];
  for (const session of sessions) {
    const { available, priority } = session.presence;
    if (!available || priority < highest) continue;
    if (priority > highest) chosen = [];
    highest = priority;
    chosen.push(session);
  }
  return chosen;
}
