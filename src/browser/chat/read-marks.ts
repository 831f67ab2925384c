import { ns } from '../../protocol/namespaces.ts';
import { childOf, el, elementsOf, type XmlElement } from './element.ts';
import type { Session } from './session.ts';
import { type ChatState, type Conversation, hasId, type Message } from './state.ts';
import { isUndelivered } from './undelivered.ts';

/** Dependencies of the marks of what was read. */
interface ReadMarksDeps {
  readonly session: Pick<Session, 'request' | 'send'>;
  readonly state: ChatState;
}

/** Tells the other devices of the user (XEP-0490), and contacts (XEP-0333), what the user has read. */
export class ReadMarks {
  readonly #deps: ReadMarksDeps;

  constructor(deps: ReadMarksDeps) {
    this.#deps = deps;
  }

  /** Reads what the user has read on all devices. Rejects with `RequestFailed`. */
  async load(): Promise<void> {
    const { session, state } = this.#deps;
    const query = el(ns.pubsub, 'pubsub', {}, el(ns.pubsub, 'items', { node: ns.displayedMarkers }));
    const answer = await session.request('get', undefined, query);
    takeReadItems(state, childOf(childOf(answer, 'pubsub', ns.pubsub), 'items', ns.pubsub));
  }

  /** The user has read a conversation to its end. */
  mark(conversation: Conversation): void {
    const { session, state } = this.#deps;
    const { jid, room } = conversation;
    conversation.unread = 0;
    const last = conversation.messages.findLast(({ mine, archiveId }) => !mine && archiveId !== undefined);
    if (last?.archiveId === undefined || state.displayed.get(jid) === last.archiveId) return;
    state.displayed.set(jid, last.archiveId);
    const by = room ? jid : state.me;
    const own = el(ns.displayedMarkers, 'displayed', {}, el(ns.stanzaId, 'stanza-id', { by, id: last.archiveId }));
    const others =
      last.isMarkable && seesPresence(state, jid) ? [el(ns.chatMarkers, 'displayed', { id: last.id })] : [];
    const stored = others.length > 0 ? el(ns.hints, 'store') : undefined;
    const type = room ? 'groupchat' : 'chat';
    // The server takes the mark for the devices of the user out of the message (XEP-0490 §4.5).
    session.send(el(ns.client, 'message', { type, to: jid }, own, ...others, stored));
  }
}

/** Whoever may see whether the user is online may also see what the user has read (XEP-0333 §6). */
function seesPresence({ contacts }: ChatState, jid: string): boolean {
  const subscription = contacts.get(jid)?.subscription;
  return subscription === 'both' || subscription === 'from';
}

/** Takes the marks of the user's devices: all of them, or those of an event. */
export function takeReadItems(state: ChatState, items: XmlElement | undefined): void {
  for (const item of elementsOf(items)) {
    const id = childOf(childOf(item, 'displayed', ns.displayedMarkers), 'stanza-id', ns.stanzaId)?.attributes['id'];
    const jid = item.attributes['id'];
    if (jid === undefined || id === undefined) continue;
    const conversation = state.conversations.get(jid);
    const place = placeOf(conversation, id);
    // Marks of several devices, and of this one, may cross.
    if (place !== -1 && placeOf(conversation, state.displayed.get(jid)) > place) continue;
    state.displayed.set(jid, id);
    if (conversation && place !== -1) conversation.unread = countUnread(conversation, id);
  }
}

function placeOf(conversation: Conversation | undefined, readId: string | undefined): number {
  return conversation?.messages.findLastIndex(({ archiveId }) => readId !== undefined && archiveId === readId) ?? -1;
}

/** The messages of others after the last one of the user, and after the one with the id in the archive that was read. */
export function countUnread({ messages }: Conversation, readId: string | undefined): number {
  const isRead = ({ mine, archiveId }: Message) => mine || (readId !== undefined && archiveId === readId);
  return messages.length - 1 - messages.findLastIndex(isRead);
}

/** The first message that is not read. */
export function firstUnread({ messages, unread }: Conversation): Message | undefined {
  return unread === 0 ? undefined : messages.filter(({ mine }) => !mine).at(-unread);
}

/** Takes the mark of a contact: that message, and all of the user before it, were read. Returns whether the stanza was one. */
export function takeMark(conversation: Conversation | undefined, stanza: XmlElement, mine: boolean): boolean {
  const mark = childOf(stanza, 'displayed', ns.chatMarkers);
  if (!mark) return false;
  const messages = conversation?.messages ?? [];
  const last = mine ? -1 : messages.findLastIndex((one) => one.mine && hasId(one, mark.attributes['id']));
  for (const message of messages.slice(0, last + 1)) {
    if (message.mine && !isUndelivered(message)) message.progress = 'read';
  }
  return true;
}
