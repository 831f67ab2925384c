import { ns } from '../../protocol/namespaces.ts';
import { bareOf, domainOf } from './address.ts';
import { Contacts } from './contacts.ts';
import { childOf, el, type XmlElement } from './element.ts';
import { takeEvent } from './events.ts';
import { type Archived, History } from './history.ts';
import { OwnAccount } from './own-account.ts';
import { RequestFailed } from './own-requests.ts';
import { Pictures } from './pictures.ts';
import { takePresence, takeRoster } from './presence.ts';
import { countUnread, ReadMarks } from './read-marks.ts';
import { type Arrival, takeMessage } from './receive.ts';
import { answerRequest, capsElement } from './requests.ts';
import { takeHandledRetractions } from './retractions.ts';
import { Rooms } from './rooms.ts';
import { Sender } from './sender.ts';
import { findServices, type Services, uploadFile } from './services.ts';
import { type Account, type SavedSession, Session, type SessionState } from './session.ts';
import { type ChatState, type Conversation, conversationWith, hasId } from './state.ts';
import type { Transport } from './stream.ts';
import { isUndelivered, loseUnsent } from './undelivered.ts';

/** Dependencies of a client. */
interface ClientDeps {
  readonly transport: Transport;
  readonly account: Account;
  readonly state: ChatState;
  /** The origins of the files of this server. */
  readonly origins: readonly string[];
  /** The address under which the page reaches a file of its server. */
  readonly reach: (url: string) => string;
  readonly saved?: SavedSession;
  /** The state has changed. */
  readonly changed: () => void;
  /** Somebody else has written just now. */
  readonly noticed: NonNullable<Arrival['noticed']>;
  /** The session has ended for a reason that another attempt does not change. */
  readonly ended: (reason: string) => void;
}

/** A client for one account: what it knows is `state`, what it does are the methods. Methods reject with `RequestFailed`. */
export class Client {
  readonly state: ChatState;
  connection: SessionState = 'connecting';
  readonly rooms: Rooms;
  readonly contacts: Contacts;
  readonly pictures: Pictures;
  readonly sender: Sender;
  services: Services = { rooms: undefined, upload: undefined };
  /** The conversation that the user looks at. */
  #open: string | undefined;
  readonly #deps: ClientDeps;
  readonly #session: Session;
  readonly #history: History;
  readonly #readMarks: ReadMarks;

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
    const shared = { session: this.#session, state: this.state, changed: deps.changed };
    this.#readMarks = new ReadMarks(shared);
    this.contacts = new Contacts(shared);
    this.pictures = new Pictures(shared);
    const upload = (file: File) => uploadFile(this.#session, this.services, file, deps.reach);
    this.sender = new Sender({ ...shared, origins: deps.origins, upload });
    this.rooms = new Rooms({
      ...shared,
      entered: (conversation) => this.#entered(conversation).catch(ignoreLost),
    });
  }

  /** What the user changes of the account itself. */
  get account(): OwnAccount {
    return new OwnAccount(this.#session, this.state.me, this.#deps.account.agent);
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

  /** Logs out. */
  end(): Promise<void> {
    return this.#session.end();
  }

  /** The user looks at a conversation, or at none. */
  look(jid: string | undefined): void {
    this.#open = jid;
    const conversation = jid === undefined ? undefined : this.state.conversations.get(jid);
    if (conversation) {
      this.#readMarks.mark(conversation);
      if (conversation.history === 'none') void this.readBack(conversation).catch(ignoreLost);
    }
    this.#deps.changed();
  }

  /** Begins a private conversation with an occupant of a room. Returns its address. */
  whisper(room: string, nick: string): string {
    const jid = `${room}/${nick}`;
    conversationWith(this.state, jid);
    return jid;
  }

  /** Takes a conversation off the list; the archive keeps it. */
  forget(jid: string): void {
    this.state.conversations.delete(jid);
    this.#deps.changed();
  }

  /** Refuses an invitation to a room. */
  ignoreInvitation(room: string): void {
    this.state.invitations.delete(room);
    this.#deps.changed();
  }

  /** Reads messages before those that are here. */
  async readBack(conversation: Conversation, max?: number): Promise<void> {
    const { jid, room, messages: shown } = conversation;
    let found = false;
    // A page may have nothing to show, such as receipts.
    while (!found && conversation.history !== 'all') {
      if (room && room.state !== 'inside') return;
      const { history, oldest } = conversation;
      const place = { before: history === 'none' ? '' : (oldest ?? ''), ...(max && { max }) };
      const { messages, complete } = await this.#history.read(room ? { room: jid, ...place } : { with: jid, ...place });
      conversation.history = complete ? 'all' : 'some';
      // Back in a room, its latest messages are read again, and older ones are here already.
      if (history !== 'none' || oldest === undefined) conversation.oldest = messages[0]?.archiveId ?? oldest;
      this.#takeArchived(messages, room && jid);
      const ids = new Set(messages.map(({ archiveId }) => archiveId));
      found = shown.some(({ archiveId }) => archiveId !== undefined && ids.has(archiveId));
    }
    this.#countUnread(conversation);
  }

  #connected(state: SessionState, reason: string | undefined): void {
    this.connection = state;
    if (state === 'ended') {
      loseUnsent(this.state);
      return this.#deps.ended(reason ?? '');
    }
    this.#deps.changed();
  }

  #handled(ids: readonly string[]): void {
    for (const conversation of this.state.conversations.values()) {
      // A room tells of what it has done.
      if (conversation.room) continue;
      takeHandledRetractions(conversation, ids);
      for (const message of conversation.messages) {
        if (message.progress === 'sending' && ids.some((id) => hasId(message, id))) message.progress = 'sent';
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
    // Without a node for them there are no marks.
    const marks = this.#readMarks.load().catch(ignoreLost);
    const roster = await this.#session.request('get', undefined, el(ns.roster, 'query'));
    takeRoster(state, childOf(roster, 'query', ns.roster), true);
    this.#session.send(el(ns.client, 'presence', {}, await capsElement()));
    await marks;
    // Which messages are private ones of occupants is clear only when the rooms are known.
    await Promise.all([this.#findServices(), this.rooms.enterAll().then(() => this.#catchUp())]);
    for (const conversation of state.conversations.values()) this.#countUnread(conversation);
    this.#deps.changed();
    await this.#readLatest();
  }

  /** The latest messages with contacts who are not in what was read of the archive, so that the list has its order. */
  async #readLatest(): Promise<void> {
    const { contacts, conversations } = this.state;
    const unknown = [...contacts.keys()].filter(
      (jid) => !conversations.get(jid)?.messages.some((message) => !isUndelivered(message)),
    );
    for (const jid of unknown.slice(0, mostLatest)) await this.readBack(conversationWith(this.state, jid), latestSize);
  }

  /** Counts what is not read of a conversation that the user does not look at. In a room, only what came after a mark counts. */
  #countUnread(conversation: Conversation): void {
    const { jid, room } = conversation;
    const readId = this.state.displayed.get(jid);
    if (jid === this.#open) this.#readMarks.mark(conversation);
    else if (!room || readId !== undefined) conversation.unread = countUnread(conversation, readId);
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
    const { origins, noticed } = this.#deps;
    return { nowMs: Date.now(), origins, open: this.#open, noticed };
  }

  #take(stanza: XmlElement): void {
    if (stanza.name === 'iq') this.#takeRequest(stanza);
    else if (stanza.name === 'presence') this.#takePresence(stanza);
    else if (!this.#history.take(stanza) && !takeEvent(this.state, stanza)) {
      for (const answer of takeMessage(this.state, stanza, this.#arrival())) this.#session.send(answer);
      const open = this.#open === undefined ? undefined : this.state.conversations.get(this.#open);
      if (open) this.#readMarks.mark(open);
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
    this.sender.repeat(conversation);
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

/** The contacts whose latest messages are read at the beginning, and how many of each. */
const mostLatest = 100;
const latestSize = 20;

/** A request may end with its session; the next session makes it again. */
function ignoreLost(error: unknown): void {
  if (!(error instanceof RequestFailed)) throw error;
}
