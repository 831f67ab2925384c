import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Departure, NextHop } from '../../routing/carrier.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Dialled, Dialler } from './dial.ts';
import { DialFailure } from './dial-failure.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { FederationOptions } from './federation-options.ts';
import type { PeerStream } from './peer-stream.ts';

/** What a link needs from the rest of the house. */
export interface DomainLinkParts {
  readonly dialler: Pick<Dialler, 'dial'>;
  readonly hop: (pair: DomainPair, dialled: Dialled) => NextHop;
  readonly options: Pick<FederationOptions, 'establishMs' | 'idleCloseMs' | 'waiting' | 'backOff'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where a link stands. */
export type LinkState =
  | { readonly name: 'idle' }
  | { readonly name: 'dialling'; readonly abort: AbortController }
  | { readonly name: 'open'; readonly dialled: Dialled; readonly hop: NextHop }
  /** The other server could not be reached and is left alone for a while. */
  | { readonly name: 'resting'; readonly untilMs: number; readonly failure: DialFailure };

/** A stanza that waits to leave. */
interface Waiting {
  readonly stanza: Stanza;
  readonly departure: Departure;
  readonly sinceMs: number;
}

/** What a start tag may have beside the content; close enough for a bound on memory. */
const tagBytes = 256;

/** All that goes from one domain of ours to one of another server: what waits, in order, and the stream it leaves by. */
export class DomainLink {
  readonly pair: DomainPair;
  readonly #parts: DomainLinkParts;
  #state: LinkState = { name: 'idle' };
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  /** The head of the queue is being asked about, or the network is behind. */
  #held = false;
  #failures = 0;
  #usedAtMs: number;
  #drained: (() => void)[] = [];

  constructor(pair: DomainPair, parts: DomainLinkParts) {
    this.pair = pair;
    this.#parts = parts;
    this.#usedAtMs = parts.clock.monotonicMs();
  }

  get state(): LinkState['name'] {
    return this.#state.name;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** The stream, if there is one. */
  get stream(): PeerStream | undefined {
    return this.#state.name === 'open' ? this.#state.dialled.stream : undefined;
  }

  /** Whether nothing would be lost if the link were forgotten. */
  isAtRest(nowMs: number): boolean {
    if (this.#queue.length > 0) return false;
    return this.#state.name === 'idle' || (this.#state.name === 'resting' && this.#state.untilMs <= nowMs);
  }

  /** Takes a stanza; throws the StanzaError for one that is not even tried. */
  send(stanza: Stanza, departure: Departure): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#state.name === 'resting' && nowMs < this.#state.untilMs) throw this.#state.failure.error;
    const bytes = stanza.payload.bytes.length + tagBytes;
    const { waiting } = this.#parts.options;
    if (this.#queue.length >= waiting.stanzas || this.#queuedBytes + bytes > waiting.bytes) {
      throw StanzaError.resourceConstraint(`too much waits for ${this.pair.remote}`);
    }
    this.#queue.push({ stanza, departure, sinceMs: nowMs });
    this.#queuedBytes += bytes;
    if (this.#state.name === 'open') this.#pump();
    else if (this.#state.name !== 'dialling') void this.#dial();
  }

  /** Keeps the times of what waits and of the stream; called about once a second. */
  tick(nowMs: number): void {
    const { waiting, idleCloseMs } = this.#parts.options;
    const late = ({ sinceMs }: Waiting) => nowMs - sinceMs > waiting.maxWaitMs;
    if (this.#state.name === 'open') {
      if (this.#queue.length === 0 && nowMs - this.#usedAtMs > idleCloseMs) this.#state.dialled.stream.close();
      return;
    }
    while (this.#queue[0] && late(this.#queue[0])) this.#bounce(StanzaError.remoteServerTimeout(), 1);
  }

  /** Resolves when nothing waits any more. */
  drained(): Promise<void> {
    if (this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** Gives up all that is under way. */
  end(): void {
    if (this.#state.name === 'dialling') this.#state.abort.abort(DialFailure.unreachable('the server stops'));
  }

  async #dial(): Promise<void> {
    const abort = new AbortController();
    this.#state = { name: 'dialling', abort };
    const { clock, dialler, options } = this.#parts;
    const timer = clock.after(options.establishMs, () => abort.abort(DialFailure.unreachable('it took too long')));
    try {
      this.#opened(await dialler.dial(this.pair, 'send', abort.signal));
    } catch (error) {
      this.#failed(error instanceof DialFailure ? error : DialFailure.unreachable(String(error)));
    } finally {
      timer.cancel();
    }
  }

  #opened(dialled: Dialled): void {
    this.#failures = 0;
    this.#usedAtMs = this.#parts.clock.monotonicMs();
    this.#state = { name: 'open', dialled, hop: this.#parts.hop(this.pair, dialled) };
    void dialled.ended.then(() => this.#lost(dialled));
    this.#pump();
  }

  #failed(failure: DialFailure): void {
    const { firstMs, longestMs } = this.#parts.options.backOff;
    const restMs = Math.min(longestMs, firstMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#state = { name: 'resting', untilMs: this.#parts.clock.monotonicMs() + restMs, failure };
    this.#parts.log.warn({ ...this.pair, reason: failure.message, restMs }, 'another server cannot be reached');
    this.#bounce(failure.error, this.#queue.length);
  }

  #lost(dialled: Dialled): void {
    if (this.#state.name !== 'open' || this.#state.dialled !== dialled) return;
    this.#state = { name: 'idle' };
    if (this.#queue.length > 0) void this.#dial();
  }

  /** Lets leave what may, in order (RFC 6120 §10.1). */
  #pump(): void {
    while (this.#state.name === 'open' && !this.#held && this.#queue[0]) {
      const { dialled, hop } = this.#state;
      const { connection } = dialled.stream.wire;
      if (connection.ended) return;
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

  #askHead(head: Waiting, dialled: Dialled, hop: NextHop): void {
    const { departure, stanza } = head;
    try {
      const leaving = departure.leaving ? departure.leaving(hop) : stanza;
      if (!(leaving instanceof Promise)) return this.#depart(head, leaving, dialled);
      const depart = (decided: Stanza | undefined) => this.#depart(head, decided, dialled);
      this.#hold(leaving.then(depart, (error: unknown) => this.#refused(error)));
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Nothing of a stanza that has come to its end leaves; one whose stream is gone meanwhile is asked about again. */
  #depart(head: Waiting, stanza: Stanza | undefined, dialled: Dialled): void {
    if (this.#queue[0] !== head) return;
    if (stanza && dialled.stream.wire.connection.ended) return;
    this.#shift();
    if (!stanza) return;
    this.#usedAtMs = this.#parts.clock.monotonicMs();
    dialled.stream.sendStanza(stanza);
    head.departure.left?.();
  }

  #refused(error: unknown): void {
    this.#bounce(error instanceof StanzaError ? error : StanzaError.internalServerError(), 1);
    if (!(error instanceof StanzaError)) this.#parts.log.error({ err: error, ...this.pair }, 'a departure failed');
  }

  #bounce(error: StanzaError, count: number): void {
    for (let left = count; left > 0 && this.#queue.length > 0; left--) this.#shift()?.departure.failed(error);
  }

  #shift(): Waiting | undefined {
    const head = this.#queue.shift();
    if (head) this.#queuedBytes -= head.stanza.payload.bytes.length + tagBytes;
    if (this.#queue.length === 0) for (const wake of this.#drained.splice(0)) wake();
    return head;
  }
}
