import { ns } from '../../protocol/namespaces.ts';
import { bareOf, domainOf } from './address.ts';
import { randomId } from './base64.ts';
import { childOf, el, type XmlElement } from './element.ts';
import { sharedFile } from './files.ts';
import { type Archived, History } from './history.ts';
import { takePresence, takeRoster } from './presence.ts';
import { type Arrival, takeMessage } from './receive.ts';
import { answerRequest } from './requests.ts';
import { Rooms } from './rooms.ts';
import { type Rule, rulesElement } from './rules.ts';
import { findServices, type Services, uploadFile } from './services.ts';
import { type Account, RequestFailed, type SavedSession, Session, type SessionState } from './session.ts';
import { addMessage, type ChatState, type Conversation, conversationWith } from './state.ts';
import type { Transport } from './stream.ts';

/** Dependencies of a client. */
interface ClientDeps {
  readonly transport: Transport;
  readonly account: Account;
  readonly state: ChatState;
  /** The origins of the files of this server. */
  readonly origins: readonly string[];
  readonly saved?: SavedSession;
  /** The state has changed. */
  readonly changed: () => void;
  /** The session has ended for a reason that another attempt does not change. */
  readonly ended: (reason: string) => void;
}

/** What a message has beside its text. */
interface Sending {
  readonly rules?: readonly Rule[];
  /** The device that is to get it. */
  readonly device?: string | undefined;
  /** Its text is the address of a file. */
  readonly isFile?: boolean;
}

/** A client for one account: what it knows is `state`, what it does are the methods. Methods reject with `RequestFailed`. */
export class Client {
  readonly state: ChatState;
  connection: SessionState = 'connecting';
  readonly rooms: Rooms;
  services: Services = { rooms: undefined, upload: undefined };
  /** The conversation that the user looks at. */
  #open: string | undefined;
  readonly #deps: ClientDeps;
  readonly #session: Session;
  readonly #history: History;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
    this.state = deps.state;
    this.#session = new Session(
      deps.transport,
      deps.account,
      {
        stanza: (stanza) => this.#take(stanza),
        state: (state, reason) => this.#connected(state, reason),
        handled: (ids) => this.#handled(ids),
        began: () => void this.#begin().catch(ignoreLost),
      },
      deps.saved,
    );
    this.#history = new History(this.#session);
    this.rooms = new Rooms({
      session: this.#session,
      state: this.state,
      changed: deps.changed,
      entered: (conversation) => this.#entered(conversation).catch(ignoreLost),
    });
  }

  /** The session, for the reload of the page. */
  save(): SavedSession {
    return this.#session.save();
  }

  /** Logs in. Rejects with `LoginRefused` or `StreamClosed`. */
  start(): Promise<void> {
    return this.#session.start();
  }

  /** Goes on after a reload of the page. */
  resume(): void {
    this.#session.resume();
    void this.#findServices().catch(ignoreLost);
  }

  /** The device may have slept, or changed its network. */
  check(): void {
    this.#session.check();
  }

  end(): void {
    this.#session.end();
  }

  /** The user looks at a conversation, or at none. */
  look(jid: string | undefined): void {
    this.#open = jid;
    const conversation = jid === undefined ? undefined : this.state.conversations.get(jid);
    if (conversation) {
      conversation.unread = 0;
      if (conversation.history === 'none') void this.readBack(conversation).catch(ignoreLost);
    }
    this.#deps.changed();
  }

  /** Sends a message to a contact or a room. */
  say(conversation: Conversation, text: string, { rules = [], device, isFile = false }: Sending = {}): void {
    const { jid, room } = conversation;
    const id = randomId();
    const type = room ? 'groupchat' : 'chat';
    this.#session.send(
      el(
        ns.client,
        'message',
        { type, id, to: device === undefined ? jid : `${jid}/${device}` },
        el(ns.client, 'body', {}, text),
        isFile ? el(ns.outOfBand, 'x', {}, el(ns.outOfBand, 'url', {}, text)) : undefined,
        room ? undefined : el(ns.receipts, 'request'),
        room ? undefined : el(ns.chatStates, 'active'),
        rulesElement(rules),
      ),
    );
    addMessage(conversation, {
      id,
      archiveId: undefined,
      from: room ? room.nick : this.state.me,
      mine: true,
      text,
      file: isFile ? sharedFile(text, this.#deps.origins) : undefined,
      atMs: Date.now(),
      rules,
      progress: 'sending',
      outcomes: [],
    });
    this.#deps.changed();
  }

  /** Tells the contact whether the user is writing. */
  compose(conversation: Conversation, isComposing: boolean): void {
    const { jid, room } = conversation;
    if (room || !this.state.contacts.get(jid)?.devices.size) return;
    const chatState = el(ns.chatStates, isComposing ? 'composing' : 'active');
    this.#session.send(el(ns.client, 'message', { type: 'chat', to: jid }, chatState, el(ns.hints, 'no-store')));
  }

  /** Uploads a file and sends its address. */
  async share(conversation: Conversation, file: File): Promise<void> {
    const url = await uploadFile(this.#session, this.services, file, this.#deps.origins);
    this.say(conversation, url, { isFile: true });
  }

  /** Adds a contact, or accepts the request of one, so that both see when the other is online. */
  async befriend(jid: string, name?: string): Promise<void> {
    const asked = this.state.requests.delete(jid);
    const item = el(ns.roster, 'item', { jid, name: name || this.state.contacts.get(jid)?.name });
    await this.#session.request('set', undefined, el(ns.roster, 'query', {}, item));
    this.#session.send(el(ns.client, 'presence', { type: 'subscribed', to: jid }));
    const subscription = this.state.contacts.get(jid)?.subscription;
    if (subscription !== 'to' && subscription !== 'both')
      this.#session.send(el(ns.client, 'presence', { type: 'subscribe', to: jid }));
    conversationWith(this.state, jid);
    if (asked) this.#deps.changed();
  }

  /** Refuses the request of somebody. */
  refuse(jid: string): void {
    this.state.requests.delete(jid);
    this.#session.send(el(ns.client, 'presence', { type: 'unsubscribed', to: jid }));
    this.#deps.changed();
  }

  /** Removes a contact; messages stay. */
  async remove(jid: string): Promise<void> {
    const item = el(ns.roster, 'item', { jid, subscription: 'remove' });
    await this.#session.request('set', undefined, el(ns.roster, 'query', {}, item));
  }

  /** Refuses an invitation to a room. */
  ignoreInvitation(room: string): void {
    this.state.invitations.delete(room);
    this.#deps.changed();
  }

  /** Reads messages before those that are here. */
  async readBack(conversation: Conversation): Promise<void> {
    const { jid, room } = conversation;
    if (conversation.history === 'all' || (room && room.state !== 'inside')) return;
    const oldest = conversation.messages.find(({ archiveId }) => archiveId !== undefined)?.archiveId;
    const before = conversation.history === 'none' ? '' : (oldest ?? '');
    const page = room ? { room: jid, before } : { with: jid, before };
    const { messages, complete } = await this.#history.read(page);
    conversation.history = complete ? 'all' : 'some';
    this.#takeArchived(messages, room && jid);
  }

  #connected(state: SessionState, reason: string | undefined): void {
    this.connection = state;
    if (state === 'ended') return this.#deps.ended(reason ?? '');
    this.#deps.changed();
  }

  #handled(ids: readonly string[]): void {
    for (const { messages, room } of this.state.conversations.values()) {
      if (room) continue;
      for (const message of messages) {
        if (message.progress === 'sending' && ids.includes(message.id)) message.progress = 'sent';
      }
    }
    this.#deps.changed();
  }

  /** A new session: gets the roster, shows that the user is here, enters the rooms, and reads what was missed. */
  async #begin(): Promise<void> {
    const { state } = this;
    state.me = bareOf(this.#session.jid);
    for (const { devices } of state.contacts.values()) devices.clear();
    this.rooms.reset();
    const roster = await this.#session.request('get', undefined, el(ns.roster, 'query'));
    takeRoster(state, childOf(roster, 'query', ns.roster), true);
    this.#session.send(el(ns.client, 'presence'));
    await Promise.all([this.#findServices(), this.rooms.enterAll(), this.#catchUp()]);
  }

  async #findServices(): Promise<void> {
    this.services = await findServices(this.#session, domainOf(this.#session.jid));
    this.#deps.changed();
  }

  /** What the archive has that this page has not. */
  async #catchUp(): Promise<void> {
    const { newest } = this.state;
    const pages =
      newest === undefined
        ? [(await this.#history.read({ before: '' })).messages]
        : this.#history.readAfter({ after: newest });
    for await (const messages of pages) {
      this.#takeArchived(messages);
      this.state.newest = messages.at(-1)?.archiveId ?? this.state.newest;
    }
  }

  #takeArchived(messages: readonly Archived[], room?: string): void {
    for (const { archiveId, message, atMs } of messages) {
      takeMessage(this.state, message, {
        ...this.#arrival(),
        nowMs: atMs,
        archiveId,
        ...(room !== undefined && { room }),
      });
    }
    this.#deps.changed();
  }

  #arrival(): Arrival {
    return { nowMs: Date.now(), origins: this.#deps.origins, open: this.#open };
  }

  #take(stanza: XmlElement): void {
    if (stanza.name === 'iq') this.#takeRequest(stanza);
    else if (stanza.name === 'presence') this.#takePresence(stanza);
    else if (!this.#history.take(stanza)) {
      for (const answer of takeMessage(this.state, stanza, this.#arrival())) this.#session.send(answer);
    }
    this.#deps.changed();
  }

  #takePresence(stanza: XmlElement): void {
    if (!this.rooms.take(stanza)) takePresence(this.state, stanza);
  }

  /** What was said in a room meanwhile is read from its end. */
  async #entered(conversation: Conversation): Promise<void> {
    conversation.history = 'none';
    await this.readBack(conversation);
  }

  #takeRequest(stanza: XmlElement): void {
    const query = childOf(stanza, 'query', ns.roster);
    const { from, type } = stanza.attributes;
    const isPush = type === 'set' && query && (from === undefined || from === this.state.me);
    if (isPush) takeRoster(this.state, query, false);
    const answer = answerRequest(stanza, Boolean(isPush));
    if (answer) this.#session.send(answer);
  }
}

/** A request may end with its session; the next session makes it again. */
function ignoreLost(error: unknown): void {
  if (!(error instanceof RequestFailed)) throw error;
}
