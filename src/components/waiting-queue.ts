import type { Stanza } from '../protocol/stanza.ts';
import type { Handoff } from '../routing/outbound.ts';
import type { KeptCopy } from '../streams/acknowledgment/kept-copies.ts';
import type { Clock, Timer } from '../support/clock.ts';

/** Limits on a queue. */
export interface QueueBounds {
  readonly maxStanzas: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** A stanza in the queue. */
export interface QueuedStanza {
  readonly stanza: Stanza;
  readonly handoff: Handoff;
  readonly copy: KeptCopy;
  /** When it entered the queue, on the monotonic clock. */
  readonly sinceMs: number;
  /** How many connections it was written to without confirmation. */
  readonly attempts: number;
}

/** Stanzas that wait for a component, oldest first. `expired` gets those that have waited too long. */
export class WaitingQueue {
  readonly #bounds: () => QueueBounds;
  readonly #clock: Clock;
  readonly #expired: (entry: QueuedStanza) => void;
  #entries: QueuedStanza[] = [];
  #bytes = 0;
  #timer: Timer | undefined;

  constructor(bounds: () => QueueBounds, clock: Clock, expired: (entry: QueuedStanza) => void) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#expired = expired;
  }

  get length(): number {
    return this.#entries.length;
  }

  hasRoomFor(stanza: Stanza): boolean {
    const { maxStanzas, maxBytes } = this.#bounds();
    return this.#entries.length < maxStanzas && this.#bytes + weight(stanza) <= maxBytes;
  }

  /** The oldest stanza. */
  get head(): QueuedStanza | undefined {
    return this.#entries[0];
  }

  push(entry: QueuedStanza): void {
    this.#entries.push(entry);
    this.#bytes += weight(entry.stanza);
    this.#watch();
  }

  /** Puts unconfirmed stanzas back in front, in their order, even beyond the limits. */
  putFirst(returned: readonly QueuedStanza[]): void {
    this.#entries.unshift(...returned);
    for (const { stanza } of returned) this.#bytes += weight(stanza);
    this.#stop();
    this.#watch();
  }

  /** Removes and returns the oldest stanza. */
  shift(): QueuedStanza | undefined {
    const oldest = this.#entries.shift();
    if (!oldest) return undefined;
    this.#bytes -= weight(oldest.stanza);
    if (this.#entries.length === 0) this.#stop();
    return oldest;
  }

  /** Removes a stanza; false if it is no longer in the queue. */
  remove(entry: QueuedStanza): boolean {
    return this.removeUnless((one) => one !== entry).length > 0;
  }

  /** Removes and returns, in order, the stanzas that may not stay. */
  removeUnless(mayStay: (entry: QueuedStanza) => boolean): readonly QueuedStanza[] {
    const dismissed = this.#entries.filter((entry) => !mayStay(entry));
    this.#entries = this.#entries.filter(mayStay);
    for (const { stanza } of dismissed) this.#bytes -= weight(stanza);
    if (this.#entries.length === 0) this.#stop();
    return dismissed;
  }

  #expire(): void {
    this.#timer = undefined;
    const before = this.#clock.monotonicMs() - this.#bounds().maxAgeMs;
    for (let oldest = this.head; oldest && oldest.sinceMs <= before; oldest = this.head) {
      this.shift();
      this.#expired(oldest);
    }
    this.#watch();
  }

  #watch(): void {
    if (!this.head) return;
    const leftMs = this.head.sinceMs + this.#bounds().maxAgeMs - this.#clock.monotonicMs();
    this.#timer ??= this.#clock.after(Math.max(0, leftMs), () => this.#expire());
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

function weight({ payload }: Stanza): number {
  return payload.bytes.length;
}
