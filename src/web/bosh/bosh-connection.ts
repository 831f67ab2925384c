import { ns } from '../../protocol/namespaces.ts';
import { randomId } from '../../protocol/random-id.ts';
import { OutputLevel } from '../../streams/output-level.ts';
import { joinPieces } from '../../streams/pieces.ts';
import { ReadControl } from '../../streams/read-control.ts';
import type {
  ConnectionLimits,
  ConnectionUser,
  Pause,
  ReadRate,
  StreamConnection,
} from '../../streams/stream-connection.ts';
import { flushAtTurnEnd, readHandled } from '../../streams/turn-end.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import { TokenBucket } from '../../support/token-bucket.ts';
import type { ChannelBinding } from '../../tls/channel-binding.ts';
import { answerText, type BoshAnswer, type BoshRequest } from './bosh-body.ts';
import type { BoshFraming } from './bosh-framing.ts';
import {
  attributesOf,
  type BoshTerms,
  inactivitySeconds,
  longestPauseSeconds,
  openRequests,
  pollingSeconds,
} from './bosh-terms.ts';
import { type Exchange, RequestWindow } from './request-window.ts';

/** Limits of one session. */
export interface BoshLimits extends ConnectionLimits {
  /** The read rate until the client has authenticated. */
  readonly rate: ReadRate;
}

/** What a session needs besides its user. */
interface BoshConnectionDeps {
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly terms: BoshTerms;
  /** The id of the first request. */
  readonly firstRid: number;
  /** That of the stream on this connection. */
  readonly framing: BoshFraming;
  readonly limits: BoshLimits;
  readonly clock: Clock;
  /** The session is over. */
  readonly closed: (sid: string) => void;
}

/** Why the server ends a session (XEP-0124 §17.2). */
type BoshCondition = 'bad-request' | 'item-not-found' | 'policy-violation' | 'remote-connection-failed';

/** The status codes for clients that do not know conditions (XEP-0124 §17.1). */
const legacyStatus: Readonly<Partial<Record<BoshCondition, number>>> = {
  'bad-request': 400,
  'policy-violation': 403,
  'item-not-found': 404,
};

/** Counted for each request besides its body, for its headers. */
const requestBytes = 500;
/** Requests without content that a client may send at once although an earlier one waits: it may have just been reloaded. */
const pollBurst = 10;
/** While this many bytes of requests wait to be read, the client gets no answers that would let it send more. */
const mostUnreadBytes = 256 * 1024;
/** An answer gets no more parts once it has this many bytes. */
const answerBytes = 128 * 1024;
/** Time for the client to fetch the end of its session. */
const lingerMs = 5000;

/**
 * A BOSH session (XEP-0124, XEP-0206) as the connection of a stream. It outlives the HTTP requests that carry it. What the stream writes
 * waits for a request that can take it.
 */
export class BoshConnection implements StreamConnection {
  readonly sid = randomId();
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** The requests may come through different TLS sessions. */
  readonly channelBindings: readonly ChannelBinding[] = [];
  readonly #user: ConnectionUser;
  readonly #deps: BoshConnectionDeps;
  readonly #window: RequestWindow<BoshRequest>;
  readonly #reading: ReadControl;
  readonly #polls: TokenBucket;
  readonly #output: OutputLevel;
  /** Requests whose content the stream has not read. */
  readonly #unread: BoshRequest[] = [];
  #unreadBytes = 0;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #sentBytes = 0;
  #waitTimer: Timer | undefined;
  #lingerTimer: Timer | undefined;
  #flushes = false;
  /** Whether the client knows the terms. */
  #created = false;
  /** Whether the last answer had no content. */
  #saidNothing = false;
  #trusted = false;
  /** Whether the client asked for a pause, and its request has not been answered. */
  #pausing = false;
  #inactivityMs = inactivitySeconds * 1000;
  /** Since when no request has been open. */
  #idleSinceMs: number;
  /** Further writes are ignored. */
  #ended = false;
  #overfull = false;
  #closed = false;

  constructor(user: ConnectionUser, deps: BoshConnectionDeps) {
    const { clock, limits } = deps;
    this.#user = user;
    this.#deps = deps;
    this.remoteAddress = deps.remoteAddress;
    this.secure = deps.secure;
    this.#window = new RequestWindow(openRequests, deps.firstRid);
    this.#reading = new ReadControl(limits.rate, clock, { stop: () => undefined, start: () => this.#read() });
    this.#polls = new TokenBucket(1 / pollingSeconds, pollBurst, clock);
    this.#output = new OutputLevel(limits);
    this.#idleSinceMs = clock.monotonicMs();
  }

  /** Whether the client has authenticated. */
  get trusted(): boolean {
    return this.#trusted;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get outgoingBytes(): number {
    return this.#partBytes;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  get congested(): boolean {
    return this.#output.isHigh(this.#partBytes);
  }

  /** The type of the answers. */
  get contentType(): string {
    return this.#deps.terms.contentType;
  }

  // --- called by the route

  /** Takes a request of the session. Its exchange gets an answer in any case. */
  take(request: BoshRequest, exchange: Exchange): void {
    if (this.#closed) return exchange.answer(endOf('item-not-found'));
    const openBefore = this.#window.open.length;
    const more = request.terminate || request.pauseSeconds !== undefined ? 1 : 0;
    const turns = this.#window.take(request.rid, request, exchange, this.#deps.clock.monotonicMs(), more);
    if (turns === undefined) return this.#refuse('item-not-found', exchange);
    this.#flushSoon();
    if (this.#ended) return;
    for (const [index, turn] of turns.entries()) {
      const others = openBefore + index;
      if (others + 1 > openRequests + more || this.#pollsTooOften(turn, others))
        return this.#refuse('policy-violation');
      this.#accept(turn);
    }
  }

  /** A client has disconnected before it got an answer. It may send the request again. */
  exchangeLost(): void {
    if (!this.#hasCarrier) this.#idleSinceMs = this.#deps.clock.monotonicMs();
  }

  // --- called by the stream

  limitReading(rate: ReadRate): void {
    this.#trusted = true;
    this.#reading.limit(rate);
  }

  write(...pieces: (string | Buffer)[]): void {
    if (this.#ended) return;
    const part = joinPieces(pieces);
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#partBytes += part.length;
    this.#flushSoon();
    if (!this.#output.isTooHigh(this.#partBytes)) return;
    this.#ended = true;
    this.#overfull = true;
  }

  flushed(): Promise<void> {
    this.flush();
    return this.#closed || this.#output.isLow(this.#partBytes) ? Promise.resolve() : this.#output.wait();
  }

  pause(reason: Pause): void {
    this.#reading.pause(reason);
  }

  resume(reason: Pause): void {
    this.#reading.resume(reason);
  }

  startTls(): never {
    throw new Error('TLS of a BOSH session starts below HTTP');
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#flushSoon();
    this.#lingerTimer = this.#deps.clock.after(lingerMs, () => this.destroy());
  }

  destroy(): void {
    this.#close('remote-connection-failed');
  }

  /** Ends a session whose client makes no requests. */
  checkStall(nowMs: number): void {
    if (!this.#hasCarrier && nowMs - this.#idleSinceMs > this.#inactivityMs) this.destroy();
  }

  // --- reading

  #accept(request: BoshRequest): void {
    const { ack, pauseSeconds } = request;
    if (ack !== undefined) this.#window.acknowledge(ack);
    this.#pausing = pauseSeconds !== undefined && pauseSeconds <= longestPauseSeconds;
    this.#inactivityMs = (this.#pausing && pauseSeconds !== undefined ? pauseSeconds : inactivitySeconds) * 1000;
    if (request.messages.length === 0) return;
    this.#unread.push(request);
    this.#unreadBytes += request.bytes;
    this.#reading.count(request.bytes + requestBytes);
    this.#read();
  }

  /**
   * Whether the client asks for news again and again although one of its other requests waits for them, or although there were none a
   * moment ago (XEP-0124 §11, §12).
   */
  #pollsTooOften({ empty }: BoshRequest, others: number): boolean {
    const isPoll = empty && (others > 0 || (this.#deps.terms.hold === 0 && this.#saidNothing));
    return isPoll && !this.#polls.tryTake();
  }

  #read(): void {
    while (!this.#reading.paused && !this.#ended) {
      const request = this.#unread.shift();
      if (!request) return;
      this.#unreadBytes -= request.bytes;
      for (const message of request.messages) this.#user.received(message);
      readHandled();
    }
  }

  // --- answering

  #flushSoon(): void {
    if (this.#flushes || this.#closed) return;
    this.#flushes = true;
    flushAtTurnEnd(this);
  }

  /** Answers the requests that must not wait any longer. */
  flush(): void {
    this.#flushes = false;
    if (this.#closed) return;
    if (this.#overfull) return this.destroy();
    while (this.#answersNow) this.#answer();
    if (this.#closed) return;
    this.#watchWait();
    if (this.#output.isLow(this.#partBytes)) this.#output.wake();
  }

  get #answersNow(): boolean {
    const [oldest] = this.#window.open;
    if (!oldest || this.#closed) return false;
    if (this.#ended) return true;
    const openCount = this.#window.open.length;
    if (this.#pausing) return true;
    const canSay = !oldest.exchange.lost && this.#unreadBytes < mostUnreadBytes;
    if (this.#parts.length > 0 && canSay) return true;
    return openCount > this.#deps.terms.hold && openCount > this.#unread.length;
  }

  /** Answers the oldest request: with the parts that wait, and if it is the last answer, with the end. */
  #answer(): void {
    const { condition } = this.#deps.framing;
    // An error ends all requests. Without one, all but the last get what is left to say.
    const isLast = this.#window.open.length === 1 || (this.#ended && condition !== undefined);
    const isAfterPause = isLast && this.#pausing;
    const parts = isAfterPause ? [] : this.#takeParts();
    if (isAfterPause) this.#pausing = false;
    if (isLast && this.#ended && this.#parts.length === 0) return this.#close(condition, parts);
    const { last, open } = this.#window;
    const acknowledged = this.#deps.terms.acknowledges && (!this.#created || last !== open[0]?.rid);
    const attributes = {
      ...(!this.#created && {
        ...attributesOf(this.#deps.terms, this.sid),
        'xmlns:xmpp': ns.xmppBosh,
        'xmpp:version': '1.0',
        'xmpp:restartlogic': 'true',
      }),
      ...(acknowledged && { ack: String(last) }),
    };
    this.#created = true;
    this.#saidNothing = parts.length === 0;
    this.#window.answer({ status: 200, body: answerText(attributes, parts) });
    this.#idleSinceMs = this.#deps.clock.monotonicMs();
  }

  #takeParts(): Buffer[] {
    let count = 0;
    let bytes = 0;
    while (count < this.#parts.length && bytes < answerBytes) bytes += this.#parts[count++]?.length ?? 0;
    this.#partBytes -= bytes;
    this.#sentBytes += bytes;
    return this.#parts.splice(0, count);
  }

  /** Answers the oldest request when it has waited long enough. */
  #watchWait(): void {
    this.#waitTimer?.cancel();
    const [oldest] = this.#window.open;
    if (!oldest) return;
    const leftMs = oldest.sinceMs + this.#deps.terms.waitMs - this.#deps.clock.monotonicMs();
    this.#waitTimer = this.#deps.clock.after(Math.max(leftMs, 0), () => {
      this.#answer();
      this.flush();
    });
  }

  /** Whether the client expects HTTP status codes (XEP-0124 §17.1). */
  get #isLegacy(): boolean {
    return this.#deps.terms.version === undefined;
  }

  /** Whether a request waits whose client is still there. */
  get #hasCarrier(): boolean {
    return this.#window.open.some(({ exchange }) => !exchange.lost);
  }

  // --- the end

  /** Ends the session because of what the client does. */
  #refuse(condition: BoshCondition, exchange?: Exchange): void {
    exchange?.answer(endOf(condition, this.#isLegacy));
    this.#close(condition);
  }

  #close(condition: string | undefined, parts: readonly Buffer[] = []): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended = true;
    this.#parts = [];
    this.#partBytes = 0;
    for (const timer of [this.#waitTimer, this.#lingerTimer]) timer?.cancel();
    this.#reading.end();
    this.#window.close(endOf(condition, this.#isLegacy, parts));
    this.#output.wake();
    this.#deps.closed(this.sid);
    this.#user.disconnected();
  }
}

/** The answer that ends a session. A legacy client gets a status code for some conditions. */
export function endOf(condition: string | undefined, isLegacy = false, parts: readonly Buffer[] = []): BoshAnswer {
  const code = isLegacy ? legacyStatus[condition as BoshCondition] : undefined;
  return { status: code ?? 200, body: answerText({ type: 'terminate', condition }, parts) };
}
