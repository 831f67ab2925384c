import type { Stanza } from '../protocol/stanza.ts';
import type { Handoff } from '../routing/outbound.ts';
import type { KeptCopy } from '../streams/acknowledgment/kept-copies.ts';
import type { Clock, Timer } from '../support/clock.ts';

/** How much may wait, and how long. */
export interface QueueBounds {
  readonly maxStanzas: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** A stanza that waits to leave. */
export interface Waiting {
  readonly stanza: Stanza;
  readonly departure: Handoff;
  readonly copy: KeptCopy;
  /** Since when. */
  readonly sinceMs: number;
  /** How often it has left in vain. */
  readonly attempts: number;
}

/** Stanzas that wait for somebody to come, the oldest first; what has waited too long is handed to `expired`. */
export class WaitingQueue {
  readonly #bounds: () => QueueBounds;
  readonly #clock: Clock;
  readonly #expired: (waiting: Waiting) => void;
  #entries: Waiting[] = [];
  #bytes = 0;
  #timer: Timer | undefined;

  constructor(bounds: () => QueueBounds, clock: Clock, expired: (waiting: Waiting) => void) {
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

  /** The oldest. */
  get head(): Waiting | undefined {
    return this.#entries[0];
  }

  push(waiting: Waiting): void {
    this.#entries.push(waiting);
    this.#bytes += weight(waiting.stanza);
    this.#watch();
  }

  /** Puts back in front what has left in vain, in its order; it has had its room. */
  giveBack(returned: readonly Waiting[]): void {
    this.#entries.unshift(...returned);
    for (const { stanza } of returned) this.#bytes += weight(stanza);
    this.#stop();
    this.#watch();
  }

  /** Takes the oldest out. */
  shift(): Waiting | undefined {
    const oldest = this.#entries.shift();
    if (!oldest) return undefined;
    this.#bytes -= weight(oldest.stanza);
    if (this.#entries.length === 0) this.#stop();
    return oldest;
  }

  /** Takes one out; false if it is not there any more. */
  remove(waiting: Waiting): boolean {
    return this.dismiss((one) => one !== waiting).length > 0;
  }

  /** Takes out those that may not wait any longer, in their order. */
  dismiss(mayStay: (waiting: Waiting) => boolean): readonly Waiting[] {
    const dismissed = this.#entries.filter((waiting) => !mayStay(waiting));
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
