import type { Stanza } from './stanza.ts';
import { StanzaError } from './stanza-error.ts';

/** The types of a message, RFC 6121 §5.2.2. */
export type MessageType = 'chat' | 'error' | 'groupchat' | 'headline' | 'normal';

/** The types of a presence, without the absent type, RFC 6121 §4.7.1. */
type PresenceType = 'error' | 'probe' | 'subscribe' | 'subscribed' | 'unavailable' | 'unsubscribe' | 'unsubscribed';

const presenceTypes: ReadonlySet<string> = new Set<PresenceType>([
  'error',
  'probe',
  'subscribe',
  'subscribed',
  'unavailable',
  'unsubscribe',
  'unsubscribed',
]);

/** The type of a message; one that is absent or unknown counts as 'normal', RFC 6121 §5.2.2. */
export function messageType(message: Stanza): MessageType {
  switch (message.type) {
    case 'chat':
    case 'error':
    case 'groupchat':
    case 'headline':
      return message.type;
    default:
      return 'normal';
  }
}

function checkIq(iq: Stanza): StanzaError | undefined {
  if (iq.id === undefined) return StanzaError.badRequest("an iq needs an 'id'");
  const { length } = iq.payload.children;
  switch (iq.type) {
    case 'get':
    case 'set':
      return length === 1 ? undefined : StanzaError.badRequest('an iq of type get or set must have exactly one child');
    case 'result':
      return length <= 1 ? undefined : StanzaError.badRequest('an iq of type result must have at most one child');
    case 'error':
      return undefined;
    default:
      return StanzaError.badRequest("the 'type' of an iq must be get, set, result or error");
  }
}

/** The fault in the form of a stanza, if any: its type (RFC 6121 §4.7.1), an iq's id and children (RFC 6120 §8.2.3). */
export function checkStanza(stanza: Stanza): StanzaError | undefined {
  if (stanza.kind === 'iq') return checkIq(stanza);
  if (stanza.kind === 'message' || stanza.type === undefined || presenceTypes.has(stanza.type)) return undefined;
  return StanzaError.badRequest("unknown presence 'type'");
}
