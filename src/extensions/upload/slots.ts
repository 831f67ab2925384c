import { createHash } from 'node:crypto';
import { randomId } from '../../protocol/random-id.ts';
import type { Clock, Timer } from '../../support/clock.ts';

/** Time from the promise of a slot to the start of its upload. */
const slotMs = 300_000;

/** A file that a user wants to upload. */
export interface WantedUpload {
  /** The account. */
  readonly owner: string;
  readonly name: string;
  /** Undefined if the client did not say. */
  readonly type: string | undefined;
  readonly size: number;
}

/** The permission to upload one file. */
export class Slot {
  readonly id = randomId();
  readonly wanted: WantedUpload;
  /** `busy`: its content is coming. `used`: it has come. */
  state: 'open' | 'busy' | 'used' = 'open';
  /** Bytes that have come. */
  received = 0;
  isExpired = false;

  constructor(wanted: WantedUpload) {
    this.wanted = wanted;
  }
}

interface KeptSlot {
  readonly slot: Slot;
  readonly timer: Timer;
}

/** The slots of all users, in memory: a restart ends them. Each is known by a token of 256 bits, which is not kept itself. */
export class Slots {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #slots = new Map<string, KeptSlot>();

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /** Makes a slot. */
  open(wanted: WantedUpload): { readonly slot: Slot; readonly token: string } {
    const token = randomId() + randomId();
    const key = keyOf(token);
    const slot = new Slot(wanted);
    this.#slots.set(key, { slot, timer: this.#clock.after(slotMs, () => this.#expire(key, slot)) });
    return { slot, token };
  }

  /** The slot of a token, until it expires. */
  find(token: string): Slot | undefined {
    return this.#slots.get(keyOf(token))?.slot;
  }

  /** An upload has begun. It may take longer than the slot lives. */
  begin(slot: Slot): void {
    slot.state = 'busy';
    slot.received = 0;
  }

  /** An upload has ended. After a failure the client may try again while the slot lives. */
  end(slot: Slot, state: 'open' | 'used'): void {
    slot.state = state;
    if (slot.isExpired) this.#forget((one) => one === slot);
  }

  /** Slots that wait for a content or get one. */
  get unused(): readonly Slot[] {
    return Array.from(this.#slots.values(), ({ slot }) => slot).filter(({ state }) => state !== 'used');
  }

  /** Ends the slots of an account. */
  drop(owner: string): void {
    this.#forget(({ wanted }) => wanted.owner === owner);
  }

  /** Ends all slots. */
  clear(): void {
    this.#forget(() => true);
  }

  #expire(key: string, slot: Slot): void {
    slot.isExpired = true;
    if (slot.state !== 'busy') this.#slots.delete(key);
  }

  #forget(which: (slot: Slot) => boolean): void {
    for (const [key, { slot, timer }] of this.#slots) {
      if (!which(slot)) continue;
      timer.cancel();
      this.#slots.delete(key);
    }
  }
}

function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
