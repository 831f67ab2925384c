import type { Stanza } from '../../protocol/stanza.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import type { AckRequestLimits } from './ack-requests.ts';
import type { KeptCopy } from './kept-copies.ts';
import type { SentStanza } from './unacknowledged-queue.ts';

const answerTimeoutMs = 60_000;
/** After so many unanswered pings a recipient whose connection still lives is taken for one that answers none. */
const patientPings = 10;

/** A recipient without stream management. */
export interface PingedRecipient {
  hasEnded(): boolean;
  /** Keeps a copy of a stanza for it. */
  keep(stanza: Stanza): KeptCopy;
  /** Pings it behind all that was sent; resolves with its answer, or with undefined after the time. */
  ping(timeoutMs: number): Promise<unknown>;
}

/** When the recipient is pinged, and how much is remembered. */
export interface PingLimits extends AckRequestLimits {
  /** How many stanzas are remembered for a recipient that never answers. */
  readonly maxStanzas: number;
}

/**
 * Stanzas that were sent without stream management, and whose sender waits for an acknowledgment. The recipient is pinged behind them
 * now and then, and its answer confirms them (XEP-0199 §4.1).
 */
export class PingConfirmedQueue {
  readonly #recipient: PingedRecipient;
  readonly #limits: PingLimits;
  readonly #clock: Clock;
  #entries: SentStanza[] = [];
  #timer: Timer | undefined;
  #asking = false;
  #unanswered = 0;

  constructor(recipient: PingedRecipient, limits: PingLimits, clock: Clock) {
    this.#recipient = recipient;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Adds a stanza that is about to be sent; resolves when a crash can no longer lose it. */
  add(stanza: Stanza, copy = this.#recipient.keep(stanza)): Promise<void> {
    this.#entries.push({ stanza, atMs: this.#clock.nowMs(), storedElsewhere: false, copy });
    this.#askInTime();
    return copy.durable;
  }

  has(stanza: Stanza): boolean {
    return this.#entries.some((entry) => entry.stanza === stanza);
  }

  /** Removes a stanza that was never written; answers its copy. */
  withdraw(stanza: Stanza): KeptCopy | undefined {
    const index = this.#entries.findIndex((entry) => entry.stanza === stanza);
    return index < 0 ? undefined : this.#entries.splice(index, 1)[0]?.copy;
  }

  /** The stream has ended; answers the stanzas that are not confirmed. */
  end(): readonly SentStanza[] {
    this.#timer?.cancel();
    return this.#entries.splice(0);
  }

  #askInTime(): void {
    if (this.#asking || this.#entries.length === 0) return;
    const { ackEveryStanzas, ackAfterMs } = this.#limits;
    const soon = this.#entries.length >= ackEveryStanzas;
    if (soon) this.#timer?.cancel();
    if (soon || !this.#timer) this.#timer = this.#clock.after(soon ? 0 : ackAfterMs, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    this.#timer = undefined;
    this.#asking = true;
    const last = this.#entries.at(-1);
    const answered = await this.#recipient.ping(answerTimeoutMs);
    this.#asking = false;
    if (this.#recipient.hasEnded()) return;
    if (answered) this.#release(last);
    this.#unanswered = answered ? 0 : this.#unanswered + 1;
    if (this.#unanswered >= patientPings) this.#forgetOldest();
    this.#askInTime();
  }

  /** A recipient that never answers confirms nothing: the queue needs a bound. */
  #forgetOldest(): void {
    const surplus = Math.max(0, this.#entries.length - this.#limits.maxStanzas);
    for (const { copy } of this.#entries.splice(0, surplus)) copy?.release();
  }

  /** Releases all copies up to `last`, which may have been removed already. */
  #release(last: SentStanza | undefined): void {
    const count = last ? this.#entries.indexOf(last) + 1 : 0;
    for (const { copy } of this.#entries.splice(0, count)) copy?.release();
  }
}
