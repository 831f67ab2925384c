import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Handoff, NextHop } from '../routing/outbound.ts';
import type { OutgoingCopies } from '../streams/outgoing-copies.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { Dialler } from './dial.ts';
import { DialFailure } from './dial-failure.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { FederationOptions } from './federation-options.ts';
import type { OutgoingStanza } from './peer-management.ts';
import type { PeerStreamReport } from './peer-report.ts';
import type { PeerStream } from './peer-stream.ts';
import type { Established } from './server-stream-out.ts';

/** Dependencies of {@link DomainLink}. */
export interface DomainLinkDeps {
  readonly dialler: Pick<Dialler, 'dial'>;
  /** An incoming bidirectional stream of the other server, if there is one (XEP-0288). */
  readonly bidirectional: (pair: DomainPair) => Established | undefined;
  readonly hop: (pair: DomainPair, dialled: Established) => NextHop;
  readonly copies: Pick<OutgoingCopies, 'add'>;
  /** Takes a place for the stream that a stanza requires; returns a function that releases it. Throws StanzaError. */
  readonly place: (stanza: Stanza) => () => void;
  /** The current options. */
  readonly options: () => Pick<FederationOptions, 'establishMs' | 'waiting' | 'backOff'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The state of a link. */
type LinkState =
  | { readonly name: 'idle' }
  | { readonly name: 'dialling'; readonly abort: AbortController }
  | { readonly name: 'open'; readonly dialled: Established; readonly hop: NextHop }
  /** The other server could not be reached. It is not tried again before `untilMs`. */
  | { readonly name: 'backing-off'; readonly untilMs: number; readonly failure: DialFailure };

/** Bytes of a start tag in addition to the content; close enough for a limit on memory. */
const tagBytes = 256;
/** How many streams a stanza is written to, without confirmation, before it fails. */
const maxAttempts = 3;

/** The outgoing stanzas from a local to a remote domain: a queue, and at most one stream. */
export class DomainLink {
  readonly pair: DomainPair;
  readonly #deps: DomainLinkDeps;
  #state: LinkState = { name: 'idle' };
  #queue: OutgoingStanza[] = [];
  #queuedBytes = 0;
  /** Without presence, which rosters bound; presence counts with its bytes only. */
  #queuedStanzas = 0;
  /** `leaving` of the queue's head is pending. */
  #headPending = false;
  /** Sending is paused until the network or the other server catches up. */
  #paused = false;
  /** Whether the stream has carried anything. */
  #used = false;
  #failures = 0;
  #ended = false;
  /** Unconfirmed stanzas of an ended stream, in order. */
  #returned: OutgoingStanza[] = [];
  #drained: (() => void)[] = [];

  constructor(pair: DomainPair, deps: DomainLinkDeps) {
    this.pair = pair;
    this.#deps = deps;
  }

  /** The link as shown to the operator. */
  report(): PeerStreamReport {
    const queued = this.#queue.length;
    if (this.stream) return this.stream.report(queued);
    const none = { tls: false, management: false, unacknowledged: 0 };
    const report = { ...this.pair, ...none, direction: 'out', state: this.#state.name, queued } as const;
    if (this.#state.name !== 'backing-off') return report;
    const { failure, untilMs } = this.#state;
    const retryInMs = Math.max(0, untilMs - this.#deps.clock.monotonicMs());
    return { ...report, failure: failure.message, retryInMs };
  }

  /** The stream, if there is one. */
  get stream(): PeerStream | undefined {
    return this.#state.name === 'open' ? this.#state.dialled.stream : undefined;
  }

  /** Whether the link only remembers a failure. */
  get isBackingOff(): boolean {
    return this.#state.name === 'backing-off' && this.#queue.length === 0;
  }

  /** Whether the link can be dropped without losing anything. */
  canBeDropped(nowMs: number): boolean {
    if (this.#queue.length > 0) return false;
    // The number of failures determines the next delay, so it is kept for a while.
    const { longestMs } = this.#deps.options().backOff;
    return (
      this.#state.name === 'idle' || (this.#state.name === 'backing-off' && this.#state.untilMs + longestMs <= nowMs)
    );
  }

  /** Takes a stanza; throws StanzaError if it does not try to send it. */
  send(stanza: Stanza, handoff: Handoff): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#state.name === 'backing-off' && nowMs < this.#state.untilMs) throw this.#state.failure.error;
    if (!this.#hasRoomFor(stanza)) throw StanzaError.resourceConstraint(`the queue for ${this.pair.remote} is full`);
    const needsStream = this.#state.name === 'idle' || this.#state.name === 'backing-off';
    const releasePlace = needsStream ? this.#deps.place(stanza) : undefined;
    const copy = handoff.ackScope ? this.#deps.copies.add(stanza) : undefined;
    if (copy) handoff.ackScope?.ackAfter(copy.durable);
    const atMs = this.#deps.clock.nowMs();
    const takeBack = (entry: OutgoingStanza) => this.#takeBack(entry);
    this.#queue.push({ stanza, handoff, copy, sinceMs: nowMs, atMs, storedElsewhere: false, attempts: 0, takeBack });
    this.#count(stanza, 1);
    if (this.#state.name === 'open') this.#sendQueued();
    else if (releasePlace) void this.#dial().finally(releasePlace);
  }

  /** Fails stanzas that have waited too long; called about once a second. */
  tick(nowMs: number): void {
    const { maxWaitMs } = this.#deps.options().waiting;
    const late = ({ sinceMs }: OutgoingStanza) => nowMs - sinceMs > maxWaitMs;
    while (!this.#headPending && this.#queue[0] && late(this.#queue[0]))
      this.#bounce(StanzaError.remoteServerTimeout(), 1);
  }

  /** Ends the delay before an unreachable server is tried again. */
  tryAgain(): void {
    this.#failures = 0;
    if (this.#state.name === 'backing-off') this.#state = { name: 'idle' };
  }

  /** Resolves when no stanzas wait, and those sent are confirmed as far as possible. */
  async drained(): Promise<void> {
    if (this.#queue.length > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
    await this.stream?.management.settled();
  }

  /** Stops. Copies of stanzas stay for the next start. */
  end(): void {
    this.#ended = true;
    if (this.#state.name === 'dialling') this.#state.abort.abort(DialFailure.unreachable('this server is stopping'));
  }

  async #dial(): Promise<void> {
    if (this.#ended) return;
    const incoming = this.#deps.bidirectional(this.pair);
    if (incoming) return this.#opened(incoming);
    const abort = new AbortController();
    this.#state = { name: 'dialling', abort };
    const { clock, dialler, options } = this.#deps;
    const timer = clock.after(options().establishMs, () => abort.abort(DialFailure.unreachable('timed out')));
    try {
      this.#opened(await dialler.dial(this.pair, 'send', abort.signal));
    } catch (error) {
      this.#failed(error instanceof DialFailure ? error : DialFailure.unreachable(String(error)));
    } finally {
      timer.cancel();
    }
  }

  #opened(dialled: Established): void {
    this.#used = false;
    this.#state = { name: 'open', dialled, hop: this.#deps.hop(this.pair, dialled) };
    void dialled.stream.ended.then(() => this.#lost(dialled));
    this.#sendQueued();
  }

  #failed(failure: DialFailure): void {
    const { firstMs, longestMs } = this.#deps.options().backOff;
    const retryInMs = Math.min(longestMs, firstMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#state = { name: 'backing-off', untilMs: this.#deps.clock.monotonicMs() + retryInMs, failure };
    this.#deps.log.warn({ ...this.pair, reason: failure.message, retryInMs }, 'cannot reach another server');
    if (!this.#ended) this.#bounce(failure.error, this.#queue.length);
  }

  #lost(dialled: Established): void {
    if (this.#state.name !== 'open' || this.#state.dialled !== dialled) return;
    // Without this, a server that ends every stream at once would be tried forever.
    if (this.#queue.length > 0 && !this.#used)
      return this.#failed(DialFailure.unreachable('the stream ended before it was used'));
    this.#state = { name: 'idle' };
    if (this.#queue.length > 0) void this.#dial();
  }

  /** Sends queued stanzas, in order, until the stream is busy (RFC 6120 §10.1). */
  #sendQueued(): void {
    while (this.#state.name === 'open' && !this.#headPending && !this.#paused && this.#queue[0]) {
      const { dialled, hop } = this.#state;
      const { wire, management } = dialled.stream;
      const { connection } = wire;
      if (connection.ended) return;
      if (management.full) return this.#pause(management.room());
      if (connection.congested) return this.#pause(connection.flushed());
      this.#sendHead(this.#queue[0], dialled, hop);
    }
  }

  #pause(until: Promise<unknown>): void {
    this.#paused = true;
    void until.then(() => {
      this.#paused = false;
      this.#sendQueued();
    });
  }

  /** Sends the head of the queue, after `leaving` if this is the first attempt. */
  #sendHead(head: OutgoingStanza, dialled: Established, hop: NextHop): void {
    const { handoff, stanza, attempts } = head;
    let leaving: MaybePromise<Stanza | undefined> = stanza;
    try {
      if (handoff.leaving && attempts === 0) leaving = handoff.leaving(hop);
    } catch (error) {
      return this.#refused(error);
    }
    if (!(leaving instanceof Promise)) return this.#write(head, leaving, dialled);
    this.#headPending = true;
    const asked = leaving.then(
      (decided) => this.#write(head, decided, dialled),
      (error: unknown) => this.#refused(error),
    );
    void asked.then(() => {
      this.#headPending = false;
      this.#sendQueued();
    });
  }

  /** Writes the head, or drops it without a `stanza`. If the stream has ended meanwhile, the head stays in the queue. */
  #write(head: OutgoingStanza, stanza: Stanza | undefined, dialled: Established): void {
    if (this.#queue[0] !== head) return;
    if (stanza && dialled.stream.wire.connection.ended) return;
    this.#shift();
    if (!stanza) return head.copy?.release();
    this.#used = true;
    this.#failures = 0;
    dialled.stream.management.transmit({ ...head, stanza, attempts: head.attempts + 1 });
    if (head.attempts === 0) head.handoff.left?.();
  }

  /** Takes back a stanza whose stream has ended without confirming it. It goes first on the next stream. */
  #takeBack(entry: OutgoingStanza): void {
    this.#returned.push(entry);
    if (this.#returned.length === 1) queueMicrotask(() => this.#requeue());
  }

  #requeue(): void {
    const returned = this.#returned.splice(0);
    const again = returned.filter(({ attempts }) => attempts < maxAttempts);
    for (const entry of returned)
      if (entry.attempts >= maxAttempts) this.#fail(entry, StanzaError.remoteServerTimeout());
    const sinceMs = this.#deps.clock.monotonicMs();
    this.#queue.unshift(...again.map((entry) => ({ ...entry, sinceMs })));
    for (const { stanza } of again) this.#count(stanza, 1);
    if (this.#state.name === 'idle' && this.#queue.length > 0) void this.#dial();
  }

  #refused(error: unknown): void {
    this.#bounce(error instanceof StanzaError ? error : StanzaError.internalServerError(), 1);
    if (!(error instanceof StanzaError))
      this.#deps.log.error({ err: error, ...this.pair }, 'could not send a stanza to another server');
  }

  #bounce(error: StanzaError, count: number): void {
    for (let left = count; left > 0; left--) {
      const entry = this.#shift();
      if (entry) this.#fail(entry, error);
    }
  }

  /** Fails a stanza. Its copy stays until the outcome is durable. */
  #fail({ handoff, copy }: OutgoingStanza, error: StanzaError): void {
    const settled = Promise.resolve(handoff.failed(error));
    const { log } = this.#deps;
    settled.then(
      () => copy?.release(),
      (fault: unknown) => log.error({ err: fault, ...this.pair }, 'unhandled failure'),
    );
  }

  #hasRoomFor(stanza: Stanza): boolean {
    const { stanzas, bytes } = this.#deps.options().waiting;
    const counts = stanza.kind !== 'presence';
    return this.#queuedBytes + weight(stanza) <= bytes && !(counts && this.#queuedStanzas >= stanzas);
  }

  #count(stanza: Stanza, sign: 1 | -1): void {
    this.#queuedBytes += sign * weight(stanza);
    if (stanza.kind !== 'presence') this.#queuedStanzas += sign;
  }

  #shift(): OutgoingStanza | undefined {
    const head = this.#queue.shift();
    if (head) this.#count(head.stanza, -1);
    if (this.#queue.length === 0) for (const wake of this.#drained.splice(0)) wake();
    return head;
  }
}

function weight({ payload }: Stanza): number {
  return payload.bytes.length + tagBytes;
}
