import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { toStorageError } from './failures.ts';

/** More than file systems compress as one, and no more: it stays in memory until the next collection of garbage. */
const chunkBytes = 256 * 1024;

/** A file that only takes room, so that there is some to give back when the disk is full. */
export class Ballast {
  readonly #file: string;
  readonly #bytes: number;

  constructor(file: string, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  /** Whether it is there, as large as it should be. */
  get present(): boolean {
    const size = statSync(this.#file, { throwIfNoEntry: false })?.size;
    return size === this.#bytes && size > 0;
  }

  /** Takes the room; false if there is not enough. */
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

  /** Gives the room back. */
  release(): void {
    rmSync(this.#file, { force: true });
  }

  #write(): void {
    // Nothing that a file system could compress, or leave out as a hole.
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
