import { ns } from '../../protocol/namespaces.ts';
import { randomId } from './base64.ts';
import { el, serialize, type XmlElement } from './element.ts';
import { type Credentials, type LoggedIn, LoginRefused, logIn, revokeToken } from './login.ts';
import { Outbox, type SavedOutbox } from './outbox.ts';
import { OwnRequests } from './own-requests.ts';
import { Stream, StreamClosed, type Transport } from './stream.ts';

/** What survives the reload of the page: enough to resume the session. */
export interface SavedSession {
  readonly jid: string;
  readonly token: string | undefined;
  readonly resumable: string | undefined;
  readonly handled: number;
  readonly outbox: SavedOutbox;
}

/** How the session stands. */
export type SessionState = 'connecting' | 'online' | 'waiting' | 'ended';

/** What the owner of a session is told. */
interface SessionEvents {
  readonly stanza: (stanza: XmlElement) => void;
  readonly state: (state: SessionState, reason?: string) => void;
  /** The server has handled the stanzas with these ids. */
  readonly handled: (ids: readonly string[]) => void;
  /** A new session has begun: the server knows nothing of presence, rooms and the roster that were there before. */
  readonly began: () => void;
}

/** Who logs in, and where. */
export interface Account {
  readonly username: string;
  readonly domain: string;
  readonly agent: string;
  /** What the server tells the user of this device. */
  readonly device: string;
  readonly password: string | undefined;
}

const firstPauseMs = 500;
const longestPauseMs = 20_000;
/** The time for an answer, after which a connection counts as lost. */
const answerMs = 10_000;
/** Conditions after which another attempt would fail, too, or do harm. */
const final = new Set(['conflict', 'not-authorized', 'policy-violation', 'host-unknown']);

/** A session of a user that outlives its connections (XEP-0198). */
export class Session {
  readonly #transport: Transport;
  readonly #account: Account;
  readonly #events: SessionEvents;
  readonly #requests = new OwnRequests();
  readonly #outbox: Outbox;
  #stream: Stream | undefined;
  #jid: string;
  #password: string | undefined;
  #token: string | undefined;
  #resumable: string | undefined;
  #handled: number;
  #pauseMs = firstPauseMs;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;
  #probe: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(transport: Transport, account: Account, events: SessionEvents, saved?: SavedSession) {
    this.#transport = transport;
    this.#account = account;
    this.#events = events;
    this.#outbox = new Outbox(saved?.outbox);
    this.#jid = saved?.jid ?? '';
    this.#password = account.password;
    this.#token = saved?.token;
    this.#resumable = saved?.resumable;
    this.#handled = saved?.handled ?? 0;
  }

  /** The full address of the user in this session. */
  get jid(): string {
    return this.#jid;
  }

  /** Connects, and from then on again whenever the connection is lost. Rejects with `LoginRefused` or `StreamClosed`. */
  start(): Promise<void> {
    return this.#connect();
  }

  /** Goes on after a reload of the page: connects, and again until it succeeds. */
  resume(): void {
    void this.#attempt();
  }

  /** Finds out whether the server still answers, and connects again if not; at once if the session waits for that. */
  check(): void {
    const stream = this.#stream;
    if (this.#retry !== undefined) {
      clearTimeout(this.#retry);
      this.#retry = undefined;
      void this.#attempt();
    } else if (stream && this.#probe === undefined) {
      stream.send(el(ns.streamManagement, 'r'));
      this.#probe = setTimeout(() => {
        this.#probe = undefined;
        stream.drop();
      }, answerMs);
    }
  }

  /** Sends a stanza, now or after the next resumption. */
  send(stanza: XmlElement): void {
    const text = serialize(stanza);
    const { id = '', type } = stanza.attributes;
    // In a new session the user is in no room yet.
    this.#outbox.add({ id, text, isRepeated: stanza.name === 'message' && type !== 'groupchat' });
    this.#stream?.write(text);
    this.#wantAnswer();
  }

  /** Sends a request. Rejects with `RequestFailed`. */
  request(type: 'get' | 'set', to: string | undefined, payload: XmlElement): Promise<XmlElement> {
    const id = randomId();
    const answer = this.#requests.answer(id);
    this.send(el(ns.client, 'iq', { type, id, to }, payload));
    return answer;
  }

  /** The password has changed, and the token is worthless: comes back with the new password for another one. */
  renew(password: string): void {
    const stream = this.#stream;
    this.#password = password;
    this.#token = undefined;
    this.#stream = undefined;
    stream?.drop();
    if (stream) void this.#attempt();
  }

  /** Ends the session for good, and revokes its token. If the server cannot be reached now, the token stays until it expires. */
  async end(): Promise<void> {
    this.#finish();
    this.#stream?.close();
    const token = this.#token;
    if (token === undefined) return;
    try {
      const [stream] = await Stream.open(this.#transport, this.#account.domain);
      await revokeToken(stream, this.#account, token);
      stream.close();
    } catch (error) {
      if (!(error instanceof StreamClosed)) throw error;
    }
  }

  save(): SavedSession {
    return {
      jid: this.#jid,
      token: this.#token,
      resumable: this.#resumable,
      handled: this.#handled,
      outbox: this.#outbox.save(),
    };
  }

  async #connect(): Promise<void> {
    this.#events.state('connecting');
    const [stream, features] = await Stream.open(this.#transport, this.#account.domain);
    try {
      const resumption = this.#resumable === undefined ? undefined : { id: this.#resumable, handled: this.#handled };
      this.#joined(stream, await logIn(stream, features, this.#credentials(), resumption));
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  #credentials(): Credentials {
    const { username, agent, device } = this.#account;
    const secret = this.#token === undefined ? { password: this.#password ?? '' } : { token: this.#token };
    return { username, agent, device, secret };
  }

  #joined(stream: Stream, { jid, token, handled, resumed, resumable }: LoggedIn): void {
    if (this.#ended) return stream.close();
    this.#stream = stream;
    this.#token = token ?? this.#token;
    this.#pauseMs = firstPauseMs;
    if (handled !== undefined) this.#acknowledged(handled);
    if (resumed) {
      for (const { text } of this.#outbox.unacknowledged) stream.write(text);
    } else this.#begin(jid, resumable);
    stream.listen((element) => this.#take(element));
    void stream.ended.then((reason) => this.#lost(stream, reason));
    this.#events.state('online');
  }

  #begin(jid: string, resumable: string | undefined): void {
    this.#jid = jid;
    this.#resumable = resumable;
    this.#handled = 0;
    const unhandled = this.#outbox.restart();
    // Their answers belonged to the old session.
    this.#requests.fail();
    this.#events.began();
    for (const stanza of unhandled.filter(({ isRepeated }) => isRepeated)) {
      this.#outbox.add(stanza);
      this.#stream?.write(stanza.text);
    }
  }

  #take(element: XmlElement): void {
    if (element.ns === ns.streamManagement) return this.#manage(element);
    if (element.ns !== ns.client) return;
    this.#handled = (this.#handled + 1) >>> 0;
    if (!this.#requests.take(element)) this.#events.stanza(element);
  }

  /** Asks the server once for all that is sent in this turn how much it has handled. */
  #wantAnswer(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    queueMicrotask(() => {
      this.#isAsking = false;
      this.#stream?.send(el(ns.streamManagement, 'r'));
    });
  }

  #manage(element: XmlElement): void {
    clearTimeout(this.#probe);
    this.#probe = undefined;
    if (element.name === 'r') this.#stream?.send(el(ns.streamManagement, 'a', { h: this.#handled }));
    if (element.name === 'a') this.#acknowledged(Number(element.attributes['h']));
  }

  #acknowledged(h: number): void {
    const ids = this.#outbox.acknowledge(h).map(({ id }) => id);
    if (ids.length > 0) this.#events.handled(ids);
  }

  #lost(stream: Stream, { condition }: StreamClosed): void {
    if (stream !== this.#stream || this.#ended) return;
    this.#stream = undefined;
    if (condition !== undefined && final.has(condition)) return this.#fail(condition);
    this.#wait();
  }

  #wait(): void {
    this.#events.state('waiting');
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined;
        void this.#attempt();
      },
      this.#pauseMs * (0.75 + Math.random() / 2),
    );
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  async #attempt(): Promise<void> {
    if (this.#ended) return;
    try {
      await this.#connect();
    } catch (error) {
      if (this.#ended) return;
      if (error instanceof StreamClosed) return this.#wait();
      this.#fail(error instanceof LoginRefused ? error.condition : String(error));
    }
  }

  #fail(reason: string): void {
    this.#finish();
    this.#events.state('ended', reason);
  }

  #finish(): void {
    this.#ended = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#probe);
  }
}
