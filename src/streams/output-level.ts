import type { Writable } from 'node:stream';
import type { ConnectionLimits } from './stream-connection.ts';

/** Bytes given to a socket at a time, so that a slow but steady reader makes visible progress. */
const writeChunkBytes = 64 * 1024;
/** No more output is produced while the output buffer is filled to this fraction. */
const congestedPart = 1 / 4;

/** How full the output buffer of a connection is, and what waits until little is in it. */
export class OutputLevel {
  readonly #mostBytes: number;
  readonly #congestedBytes: number;
  readonly #fewBytes: number;
  #waiting: (() => void)[] | undefined;

  constructor({ outgoingBufferBytes }: ConnectionLimits) {
    this.#mostBytes = outgoingBufferBytes;
    this.#congestedBytes = outgoingBufferBytes * congestedPart;
    // A small buffer must not count as both congested and nearly empty.
    this.#fewBytes = Math.min(writeChunkBytes, this.#congestedBytes);
  }

  /** Whether so many unsent bytes end the connection. */
  isTooHigh(unsentBytes: number): boolean {
    return unsentBytes > this.#mostBytes;
  }

  /** Whether no more output should be produced: a peer that does not read answers may not send requests. */
  isHigh(unsentBytes: number): boolean {
    return unsentBytes > this.#congestedBytes;
  }

  /** Whether little is unsent. */
  isLow(unsentBytes: number): boolean {
    return unsentBytes < this.#fewBytes;
  }

  /** Resolves at the next `wake`. */
  wait(): Promise<void> {
    this.#waiting ??= [];
    const waiting = this.#waiting;
    return new Promise((resolve) => waiting.push(resolve));
  }

  /** Little is unsent, or the connection is gone. */
  wake(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const resolve of waiting) resolve();
  }
}

/** Gives bytes to a socket. `wrote` is called for each chunk that has left. */
export function writeInChunks(socket: Writable, bytes: Buffer, wrote?: () => void): void {
  if (bytes.length <= writeChunkBytes) return void socket.write(bytes, wrote);
  for (let start = 0; start < bytes.length; start += writeChunkBytes)
    socket.write(bytes.subarray(start, start + writeChunkBytes), wrote);
}
