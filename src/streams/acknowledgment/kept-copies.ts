import type { Stanza } from '../../protocol/stanza.ts';
import type { ResumptionStore } from '../../storage/resumption.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';

/** Released copies are removed together after this time. */
const removalDelayMs = 200;
/** How long after a failed removal the next attempt is made. */
const retryMs = 5000;

/** A copy of a stanza on the disk. It stays there until the recipient has confirmed the stanza. */
export interface KeptCopy {
  /** Its row; undefined if it could not be written. */
  id: Promise<number | undefined>;
  /** Resolves when a crash can no longer lose the stanza. */
  readonly durable: Promise<void>;
  /** The copy is no longer needed and will be removed. */
  release(): void;
}

/** Dependencies of {@link Copies}. */
export interface CopiesDeps {
  readonly store: { remove(ids: readonly number[]): Promise<void> };
  readonly clock: Pick<Clock, 'after' | 'nowMs'>;
  readonly log: Log;
}

/** Keeps track of copies, and removes released ones in batches. */
export class Copies {
  readonly #deps: CopiesDeps;
  #released: KeptCopy[] = [];
  #removing: Promise<void> = Promise.resolve();

  constructor(deps: CopiesDeps) {
    this.#deps = deps;
  }

  /** The copy that a write makes. If the disk refuses it, the stanza is durable only once its recipient has confirmed it. */
  of(write: Promise<number | undefined>): KeptCopy {
    const { promise, resolve } = Promise.withResolvers<void>();
    const written = (id: number | undefined) => {
      resolve();
      return id;
    };
    const id = write.then(written, (error: unknown) => this.#failed(error));
    const release = () => {
      this.#released.push(copy);
      if (this.#released.length === 1) this.#deps.clock.after(removalDelayMs, () => void this.flush());
      void copy.id.then(() => resolve());
    };
    const copy: KeptCopy = { id, durable: promise, release };
    return copy;
  }

  /** The stanza of a copy was written once more. The copy is the new row from now on, or stays the old one if the write fails. */
  rewritten(copy: KeptCopy, write: Promise<number | undefined>): KeptCopy {
    const { id } = copy;
    copy.id = write.catch(() => id);
    return copy;
  }

  /** Removes the released copies; resolves when that is done. */
  flush(): Promise<void> {
    const released = this.#released.splice(0);
    if (released.length > 0) this.#removing = this.#removing.then(() => this.#remove(released));
    return this.#removing;
  }

  async #remove(copies: readonly KeptCopy[]): Promise<void> {
    const ids = await Promise.all(copies.map(({ id }) => id));
    const written = ids.filter((id) => id !== undefined);
    try {
      if (written.length > 0) await this.#deps.store.remove(written);
    } catch (error) {
      if (isPassing(error)) return this.#retry(copies);
      this.#deps.log.warn({ err: error }, 'cannot remove copies of acknowledged stanzas; they may be sent again');
    }
  }

  #retry(copies: readonly KeptCopy[]): void {
    this.#released.push(...copies);
    this.#deps.clock.after(retryMs, () => void this.flush());
  }

  /** A full disk is logged by storage. */
  #failed(error: unknown): undefined {
    const expected = error instanceof StorageError && (error.code === 'not-found' || error.code === 'closed');
    if (expected || isPassing(error)) return;
    this.#deps.log.warn({ err: error }, 'cannot keep a copy of a stanza');
  }
}

/** Dependencies of {@link KeptCopies}. */
interface KeptCopiesDeps extends CopiesDeps {
  readonly store: Pick<ResumptionStore, 'add' | 'number' | 'remove'>;
}

/** The copies of stanzas for clients. */
export class KeptCopies extends Copies {
  readonly #store: KeptCopiesDeps['store'];
  readonly #clock: KeptCopiesDeps['clock'];

  constructor(deps: KeptCopiesDeps) {
    super(deps);
    this.#store = deps.store;
    this.#clock = deps.clock;
  }

  /** Writes a copy of a stanza for a session of an account. */
  add(owner: string, key: string | undefined, stanza: Stanza, sequence: number | undefined): KeptCopy {
    const receivedAtMs = this.#clock.nowMs();
    return this.of(this.#store.add(owner, key, { sequence, receivedAtMs, bytes: stanza.toBytes() }));
  }

  /** A stanza that was held when its copy was written has been sent. */
  async number({ id }: KeptCopy, sequence: number): Promise<void> {
    const known = await id;
    // Storage logs its own failures. A stanza without a number counts as not sent.
    if (known !== undefined) await this.#store.number(known, sequence).catch(() => undefined);
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof StorageError && error.isPassing;
}
