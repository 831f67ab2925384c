import type { Stanza } from '../../protocol/stanza.ts';
import type { Departure } from '../../routing/carrier.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import type { KeptCopy } from '../management/kept-copies.ts';

/** How much may wait, and how long. */
export interface QueueBounds {
  readonly maxStanzas: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** A stanza that waits to leave. */
export interface Waiting {
  readonly stanza: Stanza;
  readonly departure: Departure;
  readonly copy: KeptCopy;
}

interface Entry {
  readonly waiting: Waiting;
  readonly sinceMs: number;
}

/** Stanzas that wait for somebody to come, the oldest first; what has waited too long is handed to `expired`. */
export class WaitingQueue {
  readonly #bounds: () => QueueBounds;
  readonly #clock: Clock;
  readonly #expired: (waiting: Waiting) => void;
  #entries: Entry[] = [];
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

  push(waiting: Waiting): void {
    this.#entries.push({ waiting, sinceMs: this.#clock.monotonicMs() });
    this.#bytes += weight(waiting.stanza);
    this.#timer ??= this.#clock.after(this.#bounds().maxAgeMs, () => this.#expire());
  }

  /** Takes the oldest out. */
  shift(): Waiting | undefined {
    const [entry] = this.#entries.splice(0, 1);
    if (!entry) return undefined;
    this.#bytes -= weight(entry.waiting.stanza);
    if (this.#entries.length === 0) this.#stop();
    return entry.waiting;
  }

  #expire(): void {
    this.#stop();
    const before = this.#clock.monotonicMs() - this.#bounds().maxAgeMs;
    for (let oldest = this.#entries[0]; oldest && oldest.sinceMs <= before; oldest = this.#entries[0]) {
      this.shift();
      this.#expired(oldest.waiting);
    }
    const [next] = this.#entries;
    if (next) this.#timer ??= this.#clock.after(next.sinceMs - before, () => this.#expire());
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

function weight({ payload }: Stanza): number {
  return payload.bytes.length;
}
