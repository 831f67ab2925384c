import type { Clock, Timer } from '../../support/clock.ts';
import { HandledCount } from './handled-count.ts';

/** When the count is written again that the disk has refused: it may be full for a while, and the sender may not ask again. */
const retryMs = 1000;

/** Dependencies of acknowledging. */
interface AcknowledgerDeps {
  /** Sends an acknowledgment of the first `handled` stanzas. */
  readonly send: (handled: number) => void;
  /** A stanza has failed and nobody was told: it can never be acknowledged. */
  readonly failed: (error: unknown) => void;
  /** Writes the count to the disk. Absent if the count need not survive a restart. */
  readonly persist?: ((handled: number) => Promise<void>) | undefined;
  readonly clock: Pick<Clock, 'after'>;
}

/**
 * Acknowledges the stanzas of one sender (XEP-0198 §4). What it acknowledges is *safe*: final, and counted on the disk if the count must
 * survive a restart.
 */
export class Acknowledger {
  readonly incoming: HandledCount;
  readonly #deps: AcknowledgerDeps;
  #safe: number;
  #told: number;
  /** The sender has asked about so many of its stanzas. */
  #requestedUpTo = 0;
  #persisting: Promise<void> | undefined;
  #retry: Timer | undefined;

  /** `handled` stanzas have been acknowledged before. */
  constructor(handled: number, deps: AcknowledgerDeps) {
    this.#deps = deps;
    this.#safe = handled;
    this.#told = handled;
    this.incoming = new HandledCount(handled, () => this.#advance(), deps.failed);
  }

  /** How many stanzas the sender may forget. */
  get safe(): number {
    return this.#safe;
  }

  /** The sender asks: it is told the count at once, and again each time it grows until all it has sent by now is covered. */
  requested(): void {
    this.#requestedUpTo = this.incoming.taken;
    this.tell();
    if (this.#safe < this.incoming.handled) this.#advance();
  }

  /** Tells the sender the count. */
  tell(): void {
    this.#told = this.#safe;
    this.#deps.send(this.#safe);
  }

  /** Resolves when all that the sender has sent is final, and the count is safe unless the disk has refused it. */
  async settled(): Promise<void> {
    await this.incoming.settled();
    if (this.#safe < this.incoming.handled) this.#advance();
    await this.#persisting;
  }

  /** Everything final is safe from now on, though the disk may have refused the count: the sender must not repeat it. */
  settle(): void {
    this.#safe = this.incoming.handled;
  }

  /** The sender has a new stream and was told the count there. */
  resumed(): void {
    this.#told = this.#safe;
    this.#requestedUpTo = 0;
  }

  /** No more stanzas come. */
  end(): void {
    this.#retry?.cancel();
    this.incoming.end();
  }

  #advance(): void {
    const { persist } = this.#deps;
    if (persist) this.#persisting ??= this.#persist(persist);
    else this.#reached(this.incoming.handled);
  }

  #reached(handled: number): void {
    this.#safe = handled;
    if (this.#told < this.#requestedUpTo) this.tell();
  }

  /** The count is written after the work that it covers, never before: one write at a time, of the latest count. */
  async #persist(persist: (handled: number) => Promise<void>): Promise<void> {
    try {
      // The stanzas of one turn of the event loop share a write.
      await undefined;
      while (this.#safe < this.incoming.handled) {
        const { handled } = this.incoming;
        await persist(handled);
        this.#reached(handled);
      }
    } catch {
      // Storage logs its own failures. The sender is told no more than what is safe.
      this.#retry?.cancel();
      this.#retry = this.#deps.clock.after(retryMs, () => this.#advance());
    } finally {
      this.#persisting = undefined;
    }
  }
}
