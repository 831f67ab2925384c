import { attribute } from '../xml/element.ts';
import type { Child, Payload } from '../xml/payload.ts';
import { readHints } from './hints.ts';
import { ns } from './namespaces.ts';
import type { Stanza } from './stanza.ts';
import { messageType } from './stanza-rules.ts';

/**
 * What a message is for. This is the one classification of messages: the archive (XEP-0313), carbons (XEP-0280), push
 * (XEP-0357) and client state (XEP-0352) all decide by it, so that they agree.
 */
export type MessageKind =
  /** Something to read: a body, a subject, or an encrypted body. */
  | 'text'
  /** Proposes a call, or says what became of the proposal (XEP-0353, XEP-0482). */
  | 'call'
  /** Invites to a room, directly (XEP-0249) or through the room (XEP-0045 §7.8.2). */
  | 'invitation'
  /** Changes an earlier message: a reaction, a correction or a retraction. */
  | 'change'
  /** A delivery receipt (XEP-0184) or a chat marker (XEP-0333). */
  | 'receipt'
  /** A chat state (XEP-0085), perhaps beside elements of no kind. */
  | 'chat-state'
  /** Nothing that instant messaging knows. */
  | 'other';

/** From the most to the least important: a message of several kinds is of the first of them. */
const ranking: readonly MessageKind[] = ['text', 'call', 'invitation', 'change', 'receipt', 'chat-state', 'other'];

/** Namespaces of one purpose: every element of them makes the kind. */
const byNamespace = new Map<string, MessageKind>([
  [ns.encryptionHint, 'text'],
  [ns.openpgp, 'text'],
  [ns.legacyOpenpgp, 'text'],
  [ns.jingleMessage, 'call'],
  [ns.callInvites, 'call'],
  [ns.directInvitation, 'invitation'],
  [ns.reactions, 'change'],
  [ns.retraction, 'change'],
  [ns.fastening, 'change'],
  [ns.correction, 'change'],
  [ns.receipts, 'receipt'],
  [ns.chatMarkers, 'receipt'],
  [ns.chatStates, 'chat-state'],
]);

/** Children that do not make a message with a chat state worth keeping (XEP-0160 §3, XEP-0085 §5.6). */
const insignificant = new Set<string>([ns.chatStates, ns.hints, ns.amp]);

/** Elements that change other messages, or say what became of them. */
const quiet = new Set<string>([
  ns.reactions,
  ns.retraction,
  ns.fastening,
  ns.correction,
  ns.receipts,
  ns.chatMarkers,
  ns.chatStates,
]);

/** Elements that servers and clients add to messages of any kind. */
const additions = new Set<string>([ns.hints, ns.stanzaId, ns.delay]);

/** The kind of a message by its content alone, whatever its type. An error may repeat the content of what it answers. */
export function messageKind(payload: Payload): MessageKind {
  let best = ranking.length - 1;
  for (const child of payload.children) {
    const rank = ranking.indexOf(kindOf(child, payload));
    if (rank === 0) return 'text';
    if (rank < best) best = rank;
  }
  return ranking[best]!;
}

/** Whether one of the elements makes the message one of this kind. */
export function hasKind(payload: Payload, kind: MessageKind): boolean {
  return payload.children.some((child) => kindOf(child, payload) === kind);
}

/** Whether the message only carries a chat state: losing it does no harm. */
export function isOnlyChatState({ children }: Payload): boolean {
  if (!children.some((child) => child.ns === ns.chatStates)) return false;
  return children.every((child) => insignificant.has(child.ns) || (child.name === 'thread' && child.ns === ns.client));
}

/**
 * Whether the archive of a user keeps the message, as far as its type, its hints (XEP-0334 §4) and its kind decide (XEP-0313
 * §6.1.1). The preferences of the user are the archive's own matter. A `<delay/>` has no influence: anyone can add one. Without
 * `receipts`, receipts and markers are not kept unless a hint demands it.
 */
export function isArchivable(message: Stanza, kept = { receipts: true }): boolean {
  const type = messageType(message);
  if (type !== 'chat' && type !== 'normal') return false;
  return !isAmpReport(message) && isWorthArchiving(message.payload, kept);
}

/** Whether an archive keeps a message, as far as its hints and its kind decide. */
export function isWorthArchiving(payload: Payload, { receipts } = { receipts: true }): boolean {
  const hints = readHints(payload);
  if (hints.noStore || hints.noPermanentStore) return false;
  if (hints.store) return true;
  const kind = messageKind(payload);
  return kind !== 'chat-state' && kind !== 'other' && (receipts || kind !== 'receipt');
}

/**
 * Whether the user should hear of the message at once, even on a device that is not connected (XEP-0357). A call is worth that when it
 * begins. In rooms, a subject is not: the room sends it to everyone who joins.
 */
export function isWorthNotifying(message: Stanza): boolean {
  const { payload } = message;
  switch (messageType(message)) {
    case 'chat':
    case 'normal': {
      const kind = messageKind(payload);
      return kind === 'call' ? beginsCall(payload) : kind === 'text' || kind === 'invitation';
    }
    case 'groupchat':
      return messageKind(payload) === 'text' && (!payload.has('subject', ns.client) || payload.has('body', ns.client));
    case 'headline':
    case 'error':
      return false;
  }
}

/** Whether nobody has to see the message soon: it only says what became of other messages, or changes them, without text of its own. */
export function isQuiet({ children }: Payload): boolean {
  return children.some((child) => quiet.has(child.ns)) && children.every(isQuietOrAddition);
}

function beginsCall(payload: Payload): boolean {
  return payload.has('propose', ns.jingleMessage) || payload.has('invite', ns.callInvites);
}

function isQuietOrAddition({ name, ns: childNs }: Child): boolean {
  return quiet.has(childNs) || additions.has(childNs) || (name === 'thread' && childNs === ns.client);
}

function kindOf(child: Child, payload: Payload): MessageKind {
  switch (child.ns) {
    case ns.client:
      return child.name === 'body' || child.name === 'subject' ? 'text' : 'other';
    case ns.omemo:
    case ns.earlierOmemo:
    case ns.legacyOmemo:
      return child.name === 'encrypted' ? 'text' : 'other';
    case ns.mucUser:
      return isMediatedInvitation(child, payload) ? 'invitation' : 'other';
    default:
      return byNamespace.get(child.ns) ?? 'other';
  }
}

function isMediatedInvitation(child: Child, payload: Payload): boolean {
  return child.name === 'x' && payload.element(child).getChild('invite', ns.mucUser) !== undefined;
}

/** Whether a server reports what has become of another message (XEP-0079 §2.2.5). */
function isAmpReport({ from, payload }: Stanza): boolean {
  if (from?.local !== '' || from.resource !== '') return false;
  const amp = payload.find('amp', ns.amp);
  return amp !== undefined && attribute(payload.element(amp), 'status') !== undefined;
}
