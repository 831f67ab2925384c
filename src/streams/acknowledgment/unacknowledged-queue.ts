import type { Stanza } from '../../protocol/stanza.ts';
import type { ArchivedForRecipients } from '../../routing/session.ts';
import { stanzasSince } from './count.ts';
import type { KeptCopy } from './kept-copies.ts';

/** A stanza that was handed to a session. */
export interface SentStanza {
  readonly stanza: Stanza;
  readonly atMs: number;
  /** Stored elsewhere until the recipient has it: it needs no copy and is not redelivered. */
  readonly storedElsewhere: boolean;
  /** The archive that stores it, if it wants to know when the recipient has it. */
  readonly archived?: ArchivedForRecipients | undefined;
  copy: KeptCopy | undefined;
  /** The number it had before the restart, if there was one since. */
  readonly sequence?: number | undefined;
}

/** How much may be unacknowledged. */
export interface QueueLimits {
  readonly maxStanzas: number;
  readonly maxBytes: number;
}

interface Waiter {
  sent: number;
  readonly resolve: (received: boolean) => void;
}

/** Bytes of a start tag beside the content; close enough for a bound on memory. */
const tagBytes = 256;
/** Of two wrapping numbers, the later one is less than this ahead. */
const halfOfAll = 2 ** 31;

/** The stanzas that were sent and are not acknowledged yet, in order (XEP-0198 §4). */
export class UnacknowledgedQueue<Entry extends SentStanza = SentStanza> {
  #entries: Entry[] = [];
  #acknowledged = 0;
  #bytes = 0;
  #counted = 0;
  #waiters: Waiter[] = [];
  #uncertain = false;

  /** The queue of a session that was restored from the disk: only the client knows how many stanzas it was sent in all. */
  static restored(entries: readonly SentStanza[]): UnacknowledgedQueue {
    const queue = new UnacknowledgedQueue();
    queue.#uncertain = true;
    for (const entry of entries) queue.push(entry);
    return queue;
  }

  /** Whether the numbers are unknown until the client has told its own count. */
  get uncertain(): boolean {
    return this.#uncertain;
  }

  /** Whether somebody waits for an acknowledgment. */
  get awaited(): boolean {
    return this.#waiters.length > 0;
  }

  /** The number of the next stanza, if it is known. */
  get nextSequence(): number | undefined {
    return this.#uncertain ? undefined : this.sent + 1;
  }

  /** How many stanzas were sent in all; never wraps. */
  get sent(): number {
    return this.#acknowledged + this.#entries.length;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** What would be sent again. */
  entries(): readonly Entry[] {
    return this.#entries;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#weigh(entry, 1);
  }

  /** Whether it holds more than it may. Presence is bounded by the roster and counts with its bytes only. */
  exceeds({ maxStanzas, maxBytes }: QueueLimits): boolean {
    return this.#counted > maxStanzas || this.#bytes > maxBytes;
  }

  /** Whether it holds half of what it may. */
  isHalfFull({ maxStanzas, maxBytes }: QueueLimits): boolean {
    return this.exceeds({ maxStanzas: maxStanzas / 2, maxBytes: maxBytes / 2 });
  }

  /** Removes and answers what an 'h' covers; undefined if it covers more than was sent, or less than an earlier one. */
  acknowledge(h: number): readonly Entry[] | undefined {
    if (this.#uncertain) return this.#startAt(h);
    const count = stanzasSince(this.#acknowledged, h);
    if (count > this.#entries.length) return undefined;
    const covered = this.#entries.splice(0, count);
    this.#acknowledged += count;
    for (const entry of covered) this.#weigh(entry, -1);
    this.#wake();
    return covered;
  }

  /** Removes a stanza that was never written; those behind it move up. */
  withdraw(stanza: Stanza): Entry | undefined {
    const index = this.#entries.findIndex((entry) => entry.stanza === stanza);
    const entry = this.#entries[index];
    if (!entry) return undefined;
    for (const waiter of this.#waiters) if (waiter.sent > this.#acknowledged + index) waiter.sent -= 1;
    this.#entries.splice(index, 1);
    this.#weigh(entry, -1);
    this.#wake();
    return entry;
  }

  /** Resolves with true when all that was sent is acknowledged. */
  received(): Promise<boolean> {
    if (this.#entries.length === 0) return Promise.resolve(true);
    const { sent } = this;
    return new Promise((resolve) => this.#waiters.push({ sent, resolve }));
  }

  /** Empties the queue; answers what it held, in order. */
  end(): readonly Entry[] {
    const entries = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    this.#counted = 0;
    for (const { resolve } of this.#waiters.splice(0)) resolve(false);
    return entries;
  }

  /** Removes what the client has, and numbers the rest from there. */
  #startAt(h: number): readonly Entry[] {
    const has = ({ sequence }: SentStanza) => sequence !== undefined && stanzasSince(sequence, h) < halfOfAll;
    const lacks = (entry: SentStanza) => !has(entry);
    const covered = this.#entries.filter(has);
    // The waiters have counted from zero.
    for (const waiter of this.#waiters) waiter.sent = h + this.#entries.slice(0, waiter.sent).filter(lacks).length;
    this.#entries = this.#entries.filter(lacks);
    for (const entry of covered) this.#weigh(entry, -1);
    this.#acknowledged = h;
    this.#uncertain = false;
    this.#wake();
    return covered;
  }

  #weigh({ stanza }: SentStanza, sign: 1 | -1): void {
    this.#bytes += sign * (stanza.payload.bytes.length + tagBytes);
    if (stanza.kind !== 'presence') this.#counted += sign;
  }

  #wake(): void {
    while (this.#waiters[0] && this.#waiters[0].sent <= this.#acknowledged) this.#waiters.shift()?.resolve(true);
  }
}
