import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DiskSpace, diskSpaceAt } from '../support/disk-space.ts';
import type { BlobStore, ByteRange } from './blobs.ts';
import { toStorageError } from './sqlite/failures.ts';
import { StorageError } from './storage-error.ts';

/** Bytes in one call to the operating system. */
const chunkBytes = 65_536;

/** Contents as files of a directory: `incoming/ID` while they are written, then `XX/ID`, where XX is how the id begins. */
export class FileBlobs implements BlobStore {
  readonly #directory: string;
  readonly #space: (directory: string) => DiskSpace;
  #prepared: Promise<void> | undefined;
  /** The last call that makes a file durable. One at a time, because it can occupy a thread of the pool for seconds. */
  #syncing: Promise<void> = Promise.resolve();

  /** The parent of `directory` must exist. */
  constructor(directory: string, space: (directory: string) => DiskSpace = diskSpaceAt) {
    this.#directory = directory;
    this.#space = space;
  }

  freeBytes(): number {
    return this.#space(dirname(this.#directory)).freeBytes;
  }

  async write(id: string, size: number, content: AsyncIterable<Buffer>): Promise<void> {
    const incoming = join(this.#incoming, id);
    const file = this.#fileOf(id);
    await asStorageError(this.#prepare());
    const handle = await asStorageError(open(incoming, 'wx', 0o600));
    try {
      await this.#fill(handle, size, content);
      await asStorageError(this.#publish(incoming, file));
    } catch (error) {
      await Promise.allSettled([rm(incoming, { force: true }), rm(file, { force: true })]);
      throw error;
    }
  }

  async read(id: string, range: ByteRange): Promise<AsyncIterable<Buffer> | undefined> {
    const handle = await ifExists(open(this.#fileOf(id), 'r'));
    return handle && chunksOf(handle, range);
  }

  async remove(id: string): Promise<void> {
    await asStorageError(rm(this.#fileOf(id), { force: true }));
  }

  async *ids(): AsyncGenerator<readonly string[]> {
    for (const name of (await ifExists(readdir(this.#directory))) ?? []) {
      if (name.length === 2) yield await asStorageError(readdir(join(this.#directory, name)));
    }
  }

  async removeUnfinished(): Promise<void> {
    for (const name of (await ifExists(readdir(this.#incoming))) ?? [])
      await asStorageError(rm(join(this.#incoming, name), { force: true }));
  }

  get #incoming(): string {
    return join(this.#directory, 'incoming');
  }

  #fileOf(id: string): string {
    if (!/^[\w-]{3,64}$/.test(id))
      throw new StorageError('invalid', `${JSON.stringify(id)} is not the id of a content`);
    return join(this.#directory, id.slice(0, 2), id);
  }

  #prepare(): Promise<void> {
    this.#prepared ??= makeDirectory(this.#directory).then(() => makeDirectory(this.#incoming));
    // The next write tries again.
    this.#prepared.catch(() => {
      this.#prepared = undefined;
    });
    return this.#prepared;
  }

  async #fill(handle: FileHandle, size: number, content: AsyncIterable<Buffer>): Promise<void> {
    try {
      const written = await writeAll(handle, content);
      if (written !== size) throw new StorageError('invalid', `a content has ${written} bytes instead of ${size}`);
      this.#syncing = this.#syncing.catch(() => undefined).then(() => handle.datasync());
      await asStorageError(this.#syncing);
    } finally {
      await handle.close();
    }
  }

  /** Gives a complete file its name. */
  async #publish(incoming: string, file: string): Promise<void> {
    await makeDirectory(dirname(file));
    await rename(incoming, file);
    await syncDirectory(dirname(file));
  }
}

/** Writes everything, in pieces of a good size. While one is written, the next is read, and no more than that. */
async function writeAll(handle: FileHandle, content: AsyncIterable<Buffer>): Promise<number> {
  let [written, waitingBytes] = [0, 0];
  let waiting: Buffer[] = [];
  let writing: Promise<unknown> = Promise.resolve();
  const flush = async () => {
    await asStorageError(writing);
    writing = waitingBytes === 0 ? writing : writeChunks(handle, waiting, waitingBytes);
    // It is awaited later.
    writing.catch(() => undefined);
    written += waitingBytes;
    [waiting, waitingBytes] = [[], 0];
  };
  try {
    for await (const chunk of content) {
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes >= chunkBytes) await flush();
    }
    await flush();
  } finally {
    await asStorageError(writing);
  }
  return written;
}

/** A part of a file, always in the same memory: new memory for each chunk would cost more than reading it. */
async function* chunksOf(handle: FileHandle, { first, last }: ByteRange): AsyncGenerator<Buffer> {
  try {
    const memory = Buffer.allocUnsafeSlow(chunkBytes);
    for (let at = first; at <= last; ) {
      const { bytesRead } = await handle.read(memory, 0, Math.min(chunkBytes, last + 1 - at), at);
      if (bytesRead === 0) throw new StorageError('invalid', `a content ends after ${at} bytes, before byte ${last}`);
      at += bytesRead;
      yield memory.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function writeChunks(handle: FileHandle, chunks: readonly Buffer[], bytes: number): Promise<void> {
  const { bytesWritten } = await handle.writev(chunks);
  // A disk that is full in the middle takes a part.
  if (bytesWritten < bytes) await handle.writeFile(Buffer.concat(chunks).subarray(bytesWritten));
  for (const chunk of chunks) free(chunk);
}

/** Gives memory back at once. Otherwise uploads at full speed cause a collection of all garbage several times a second, each of which stops the server. */
function free({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0);
}

/** Makes a directory and its name durable, if it does not exist. */
async function makeDirectory(directory: string): Promise<void> {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncDirectory(dirname(directory));
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The result, or undefined if there is no such file. */
async function ifExists<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw toStorageError(error);
  }
}

async function asStorageError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toStorageError(error);
  }
}
