import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { toStorageError } from './failures.ts';

/** Larger than the blocks that file systems compress, and no larger: the buffer stays in memory until garbage collection. */
const chunkBytes = 256 * 1024;

/** A file that reserves space, which is freed when the disk is full. */
export class Ballast {
  readonly #file: string;
  readonly #bytes: number;

  constructor(file: string, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Whether the file exists in its full size. */
  get present(): boolean {
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size;
    return size === this.#bytes && size > 0;
  }

  /** Makes the file. False if there is not enough space. */
  make(): boolean {
    try {
      this.#write();
      return true;
    } catch (error) {
      this.release();
      const failure = toStorageError(error);
      if (failure.code !== 'full') throw failure;
      return false;
    }
  }

  /** Deletes the file. */
  release(): void {
    rmSync(this.#file, { force: true });
  }

  #write(): void {
    // Random bytes, which a file system can neither compress nor leave out as a hole.
    const chunk = randomBytes(Math.min(chunkBytes, this.#bytes));
    const file = openSync(this.#file, 'w', 0o600);
    try {
      for (let left = this.#bytes; left > 0; ) left -= writeSync(file, chunk, 0, Math.min(left, chunk.length));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  }
}
