import type { Stanza } from '../../protocol/stanza.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import type { AckRequestLimits } from './ack-requests.ts';
import type { KeptCopy } from './kept-copies.ts';
import type { SentStanza } from './unacknowledged-queue.ts';

const answerTimeoutMs = 60_000;
/** After so many pings without an answer a recipient whose connection still lives is one that answers none; a dead one is noticed before. */
const patientPings = 10;

/** A recipient that acknowledges nothing. */
export interface PingedRecipient {
  hasEnded(): boolean;
  /** Keeps a copy of a stanza for it. */
  keep(stanza: Stanza): KeptCopy;
  /** Pings it behind all that was sent; resolves with its answer, if there is one in time. */
  ping(timeoutMs: number): Promise<unknown>;
}

/** When the recipient is pinged, and how much is remembered. */
export interface PingLimits extends AckRequestLimits {
  /** How many stanzas are remembered for a recipient that never answers. */
  readonly maxStanzas: number;
}

/**
 * What was sent without stream management in the name of somebody who is owed word: the recipient is pinged behind it now and then, and
 * the answer proves receipt (XEP-0199 §4.1).
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

  /** Remembers a stanza that is about to be sent; resolves when a crash cannot take it away any more. */
  add(stanza: Stanza, copy = this.#recipient.keep(stanza)): Promise<void> {
    this.#entries.push({ stanza, atMs: this.#clock.nowMs(), storedElsewhere: false, copy });
    this.#askInTime();
    return copy.durable;
  }

  has(stanza: Stanza): boolean {
    return this.#entries.some((entry) => entry.stanza === stanza);
  }

  /** Takes back a stanza that was never written; answers its copy. */
  withdraw(stanza: Stanza): KeptCopy | undefined {
    const index = this.#entries.findIndex((entry) => entry.stanza === stanza);
    return index < 0 ? undefined : this.#entries.splice(index, 1)[0]?.copy;
  }

  /** It is over; answers what the recipient may not have. */
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

  /** Who takes everything and answers nothing will not prove anything any more: there must be a bound. */
  #forgetOldest(): void {
    const surplus = Math.max(0, this.#entries.length - this.#limits.maxStanzas);
    for (const { copy } of this.#entries.splice(0, surplus)) copy?.release();
  }

  /** Releases everything up to `last`, which may be gone already. */
  #release(last: SentStanza | undefined): void {
    const count = last ? this.#entries.indexOf(last) + 1 : 0;
    for (const { copy } of this.#entries.splice(0, count)) copy?.release();
  }
}
