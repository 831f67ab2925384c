import { ns } from '../../protocol/namespaces.ts';
import { bareOf, localOf } from './address.ts';
import { randomId } from './base64.ts';
import { addBookmark, readBookmarks, removeBookmark } from './bookmarks.ts';
import { childOf, el, elementsOf, type XmlElement } from './element.ts';
import { failureOf } from './own-requests.ts';
import { takePresence } from './presence.ts';
import type { Session } from './session.ts';
import { type ChatState, type Conversation, conversationWith, type Room } from './state.ts';

/** Dependencies of the rooms of a client. */
interface RoomsDeps {
  readonly session: Session;
  readonly state: ChatState;
  /** The state has changed. */
  readonly changed: () => void;
  /** The user has come into a room. */
  readonly entered: (conversation: Conversation) => Promise<void>;
}

/** What a client does in rooms (XEP-0045). Methods reject with `RequestFailed`. */
export class Rooms {
  readonly #deps: RoomsDeps;

  constructor(deps: RoomsDeps) {
    this.#deps = deps;
  }

  /** Enters a room, and creates it if there is none. */
  async enter(jid: string, nick = localOf(this.#deps.state.me)): Promise<void> {
    const { session, state } = this.#deps;
    state.invitations.delete(jid);
    this.#begin(jid, nick);
    await addBookmark(session, { room: jid, nick });
  }

  /** Enters all rooms of the user in a new session. */
  async enterAll(): Promise<void> {
    const { session, state } = this.#deps;
    const known = [...state.conversations.values()].flatMap(({ jid, room }) =>
      room ? { room: jid, nick: room.nick } : [],
    );
    // Without a node for bookmarks there are none.
    const marked = await readBookmarks(session).catch(() => []);
    const all = new Map([...marked, ...known].map(({ room, nick }) => [room, nick]));
    for (const [jid, nick] of all) this.#begin(jid, nick ?? localOf(state.me));
  }

  /** The session is a new one: the user is in no room. */
  reset(): void {
    for (const { room } of this.#deps.state.conversations.values()) {
      room?.occupants.clear();
      if (room) room.state = 'outside';
    }
  }

  /** Leaves a room for good. */
  async leave(jid: string): Promise<void> {
    const { session, state } = this.#deps;
    const nick = state.conversations.get(jid)?.room?.nick;
    for (const other of state.conversations.keys()) if (bareOf(other) === jid) state.conversations.delete(other);
    if (nick !== undefined) session.send(el(ns.client, 'presence', { type: 'unavailable', to: `${jid}/${nick}` }));
    this.#deps.changed();
    await removeBookmark(session, jid);
  }

  setSubject(jid: string, subject: string): void {
    const element = el(ns.client, 'subject', {}, subject);
    this.#deps.session.send(el(ns.client, 'message', { type: 'groupchat', to: jid, id: randomId() }, element));
  }

  invite(jid: string, guest: string): void {
    const invite = el(ns.mucUser, 'x', {}, el(ns.mucUser, 'invite', { to: guest }));
    this.#deps.session.send(el(ns.client, 'message', { to: jid }, invite));
  }

  /** Takes presence from a room. Returns whether it was. */
  take(stanza: XmlElement): boolean {
    const conversation = this.#deps.state.conversations.get(bareOf(stanza.attributes['from'] ?? ''));
    const room = conversation?.room;
    if (!room) return false;
    const before = room.state;
    takePresence(this.#deps.state, stanza);
    const isRefused = before === 'entering' && stanza.attributes['type'] === 'error';
    if (isRefused && failureOf(stanza).condition === 'conflict') this.#begin(conversation.jid, `${room.nick}_`);
    if (before !== 'inside' && isInside(room)) void this.#entered(conversation, stanza);
    return true;
  }

  #begin(jid: string, nick: string): void {
    const { session, state } = this.#deps;
    const conversation = conversationWith(state, jid);
    const room = conversation.room ?? {
      nick,
      state: 'entering',
      problem: undefined,
      subject: '',
      occupants: new Map(),
    };
    room.nick = nick;
    room.state = 'entering';
    room.occupants.clear();
    if (!conversation.room) state.conversations.set(jid, { ...conversation, room });
    // The history comes from the archive.
    const muc = el(ns.muc, 'x', {}, el(ns.muc, 'history', { maxstanzas: '0' }));
    session.send(el(ns.client, 'presence', { to: `${jid}/${nick}` }, muc));
    this.#deps.changed();
  }

  async #entered(conversation: Conversation, stanza: XmlElement): Promise<void> {
    const codes = elementsOf(childOf(stanza, 'x', ns.mucUser)).map(({ attributes }) => attributes['code']);
    if (codes.includes('201')) {
      // The settings that the server gives to a new room (XEP-0045 §10.1.2).
      const form = el(ns.dataForm, 'x', { type: 'submit' });
      await this.#deps.session.request('set', conversation.jid, el(ns.mucOwner, 'query', {}, form));
    }
    await this.#deps.entered(conversation);
  }
}

function isInside({ state }: Room): boolean {
  return state === 'inside';
}
