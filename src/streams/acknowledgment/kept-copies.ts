import type { Stanza } from '../../protocol/stanza.ts';
import type { ResumptionStore } from '../../storage/resumption.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';

/** Copies that are no longer needed go together, after this long. */
const removalDelayMs = 200;
/** When it is tried again to remove what could not be removed. */
const retryMs = 5000;

/** The copy of a stanza on the disk, until its recipient has proved that it has it. */
export interface KeptCopy {
  /** Its row; absent if it could not be written. */
  id: Promise<number | undefined>;
  /** Resolves when a crash cannot take the stanza away any more. */
  readonly durable: Promise<void>;
  /** Nobody needs the copy any more. */
  release(): void;
}

/** Dependencies of looking after copies. */
export interface CopiesDeps {
  readonly store: { remove(ids: readonly number[]): Promise<void> };
  readonly clock: Pick<Clock, 'after' | 'nowMs'>;
  readonly log: Log;
}

/** Looks after copies of stanzas, and removes them lazily. */
export class Copies {
  readonly #deps: CopiesDeps;
  #released: KeptCopy[] = [];
  #removing: Promise<void> = Promise.resolve();

  constructor(deps: CopiesDeps) {
    this.#deps = deps;
  }

  /** The copy that a write makes. If the disk does not take it, it is the proof of receipt itself that must be waited for. */
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

  /** Removes what was released; resolves when that is done. */
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
      this.#deps.log.warn({ err: error }, 'acknowledged stanzas were not removed and may come again');
    }
  }

  #retry(copies: readonly KeptCopy[]): void {
    this.#released.push(...copies);
    this.#deps.clock.after(retryMs, () => void this.flush());
  }

  /** Storage tells itself that it is full. */
  #failed(error: unknown): undefined {
    const expected = error instanceof StorageError && (error.code === 'not-found' || error.code === 'closed');
    if (expected || isPassing(error)) return;
    this.#deps.log.warn({ err: error }, 'a stanza has no copy on the disk until its recipient has it');
  }
}

/** Dependencies of keeping copies for clients. */
interface KeptCopiesDeps extends CopiesDeps {
  readonly store: Pick<ResumptionStore, 'add' | 'number' | 'remove'>;
}

/** Writes copies of stanzas that are on their way to a client. */
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

  /** A stanza that had to wait when its copy was written has been sent. */
  async number({ id }: KeptCopy, sequence: number): Promise<void> {
    const known = await id;
    // Storage tells its own troubles; what has no number counts as not sent.
    if (known !== undefined) await this.#store.number(known, sequence).catch(() => undefined);
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof StorageError && error.isPassing;
}
