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
import type { Departing } from './peer-management.ts';
import type { PeerStreamReport } from './peer-report.ts';
import type { PeerStream } from './peer-stream.ts';
import type { Established } from './server-stream-out.ts';

/** Dependencies of a link. */
export interface DomainLinkDeps {
  readonly dialler: Pick<Dialler, 'dial'>;
  /** A stream of the other server that goes both ways, if there is one (XEP-0288). */
  readonly answered: (pair: DomainPair) => Established | undefined;
  readonly hop: (pair: DomainPair, dialled: Established) => NextHop;
  readonly copies: Pick<OutgoingCopies, 'add'>;
  /** Takes a place for a stream that is to be opened because of a stanza, and answers how to give it back; throws StanzaError. */
  readonly place: (stanza: Stanza) => () => void;
  /** As they are now. */
  readonly options: () => Pick<FederationOptions, 'establishMs' | 'waiting' | 'backOff'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where a link stands. */
type LinkState =
  | { readonly name: 'idle' }
  | { readonly name: 'dialling'; readonly abort: AbortController }
  | { readonly name: 'open'; readonly dialled: Established; readonly hop: NextHop }
  /** The other server could not be reached and is left alone for a while. */
  | { readonly name: 'backing-off'; readonly untilMs: number; readonly failure: DialFailure };

/** What a start tag may have beside the content; close enough for a bound on memory. */
const tagBytes = 256;
/** Streams a stanza is written to in vain before it is given up. */
const maxAttempts = 3;

/** All that goes from one domain of ours to one of another server: what waits, in order, and the stream it leaves by. */
export class DomainLink {
  readonly pair: DomainPair;
  readonly #deps: DomainLinkDeps;
  #state: LinkState = { name: 'idle' };
  #queue: Departing[] = [];
  #queuedBytes = 0;
  /** Presence is bounded by rosters, and counts with its bytes only. */
  #queuedStanzas = 0;
  /** The head of the queue is being asked about. */
  #asking = false;
  /** The network, or the other server, is behind. */
  #held = false;
  /** Whether the stream has carried anything. */
  #used = false;
  #failures = 0;
  #ended = false;
  /** What has come back from a stream, in order. */
  #returned: Departing[] = [];
  #drained: (() => void)[] = [];

  constructor(pair: DomainPair, deps: DomainLinkDeps) {
    this.pair = pair;
    this.#deps = deps;
  }

  /** The link as it is shown to the operator. */
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

  /** Whether it only remembers that the other server could not be reached. */
  get isBackingOff(): boolean {
    return this.#state.name === 'backing-off' && this.#queue.length === 0;
  }

  /** Whether nothing would be lost if the link were forgotten. */
  isAtRest(nowMs: number): boolean {
    if (this.#queue.length > 0) return false;
    // How long it rests the next time depends on how often it has failed.
    const { longestMs } = this.#deps.options().backOff;
    return (
      this.#state.name === 'idle' || (this.#state.name === 'backing-off' && this.#state.untilMs + longestMs <= nowMs)
    );
  }

  /** Takes a stanza; throws the StanzaError for one that is not even tried. */
  send(stanza: Stanza, departure: Handoff): void {
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#state.name === 'backing-off' && nowMs < this.#state.untilMs) throw this.#state.failure.error;
    if (!this.#hasRoomFor(stanza)) throw StanzaError.resourceConstraint(`the queue for ${this.pair.remote} is full`);
    const begins = this.#state.name === 'idle' || this.#state.name === 'backing-off';
    const begun = begins ? this.#deps.place(stanza) : undefined;
    const copy = departure.ackScope ? this.#deps.copies.add(stanza) : undefined;
    if (copy) departure.ackScope?.ackAfter(copy.durable);
    const atMs = this.#deps.clock.nowMs();
    const back = (entry: Departing) => this.#back(entry);
    this.#queue.push({ stanza, departure, copy, sinceMs: nowMs, atMs, storedElsewhere: false, attempts: 0, back });
    this.#weigh(stanza, 1);
    if (this.#state.name === 'open') this.#pump();
    else if (begun) void this.#dial().finally(begun);
  }

  /** Keeps the times of what waits and of the stream; called about once a second. */
  tick(nowMs: number): void {
    const { maxWaitMs } = this.#deps.options().waiting;
    const late = ({ sinceMs }: Departing) => nowMs - sinceMs > maxWaitMs;
    while (!this.#asking && this.#queue[0] && late(this.#queue[0])) this.#bounce(StanzaError.remoteServerTimeout(), 1);
  }

  /** A server that could not be reached is left alone no longer. */
  tryAgain(): void {
    this.#failures = 0;
    if (this.#state.name === 'backing-off') this.#state = { name: 'idle' };
  }

  /** Resolves when nothing waits any more, and what has left has arrived as far as can be told. */
  async drained(): Promise<void> {
    if (this.#queue.length > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
    await this.stream?.management.settled();
  }

  /** Gives up all that is under way: copies stay for the next start. */
  end(): void {
    this.#ended = true;
    if (this.#state.name === 'dialling') this.#state.abort.abort(DialFailure.unreachable('the server stops'));
  }

  async #dial(): Promise<void> {
    if (this.#ended) return;
    const answered = this.#deps.answered(this.pair);
    if (answered) return this.#opened(answered);
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
    this.#pump();
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
    // Or a server that ends every stream at once would be tried without end.
    if (this.#queue.length > 0 && !this.#used) return this.#failed(DialFailure.unreachable('the stream has ended'));
    this.#state = { name: 'idle' };
    if (this.#queue.length > 0) void this.#dial();
  }

  /** Lets leave what may, in order (RFC 6120 §10.1). */
  #pump(): void {
    while (this.#state.name === 'open' && !this.#asking && !this.#held && this.#queue[0]) {
      const { dialled, hop } = this.#state;
      const { wire, management } = dialled.stream;
      const { connection } = wire;
      if (connection.ended) return;
      if (management.full) return this.#hold(management.room());
      if (connection.congested) return this.#hold(connection.flushed());
      this.#askHead(this.#queue[0], dialled, hop);
    }
  }

  #hold(until: Promise<unknown>): void {
    this.#held = true;
    void until.then(() => {
      this.#held = false;
      this.#pump();
    });
  }

  /** One that goes again has been asked about before. */
  #askHead(head: Departing, dialled: Established, hop: NextHop): void {
    const { departure, stanza, attempts } = head;
    let leaving: MaybePromise<Stanza | undefined> = stanza;
    try {
      if (departure.leaving && attempts === 0) leaving = departure.leaving(hop);
    } catch (error) {
      return this.#refused(error);
    }
    if (!(leaving instanceof Promise)) return this.#depart(head, leaving, dialled);
    this.#asking = true;
    const asked = leaving.then(
      (decided) => this.#depart(head, decided, dialled),
      (error: unknown) => this.#refused(error),
    );
    void asked.then(() => {
      this.#asking = false;
      this.#pump();
    });
  }

  /** Nothing of a stanza that has come to its end leaves; one whose stream is gone meanwhile is asked about again. */
  #depart(head: Departing, stanza: Stanza | undefined, dialled: Established): void {
    if (this.#queue[0] !== head) return;
    if (stanza && dialled.stream.wire.connection.ended) return;
    this.#shift();
    if (!stanza) return head.copy?.release();
    this.#used = true;
    this.#failures = 0;
    dialled.stream.management.transmit({ ...head, stanza, attempts: head.attempts + 1 });
    if (head.attempts === 0) head.departure.left?.();
  }

  /** The stream it was written to is over: it goes by the next one, before what has waited behind it. */
  #back(entry: Departing): void {
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
    for (const { stanza } of again) this.#weigh(stanza, 1);
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

  /** The copy stays until what becomes of the stanza instead is durable. */
  #fail({ departure, copy }: Departing, error: StanzaError): void {
    const settled = Promise.resolve(departure.failed(error));
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

  #weigh(stanza: Stanza, sign: 1 | -1): void {
    this.#queuedBytes += sign * weight(stanza);
    if (stanza.kind !== 'presence') this.#queuedStanzas += sign;
  }

  #shift(): Departing | undefined {
    const head = this.#queue.shift();
    if (head) this.#weigh(head.stanza, -1);
    if (this.#queue.length === 0) for (const wake of this.#drained.splice(0)) wake();
    return head;
  }
}

function weight({ payload }: Stanza): number {
  return payload.bytes.length + tagBytes;
}
