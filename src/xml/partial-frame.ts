const minPieceBytes = 1024;

/** The bytes of a frame that came in more than one chunk, put together. */
export class PartialFrame {
  /** Never used again once the frame has been handed out. */
  bytes: Buffer;
  length = 0;
  /** Where scanning goes on. */
  scanned = 0;
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.bytes = Buffer.allocUnsafe(Math.min(maxBytes, minPieceBytes));
  }

  /** Whether the frame has all the bytes it may have. */
  get full(): boolean {
    return this.length >= this.maxBytes;
  }

  /**
   * Takes some bytes of `chunk`, and answers how many. Not all at once: the rest of a large chunk need not be copied
   * when the frame ends early in it.
   */
  append(chunk: Buffer, from: number, atMost = Math.max(this.length, minPieceBytes)): number {
    const count = Math.min(chunk.length - from, atMost, this.maxBytes - this.length);
    this.#makeRoom(this.length + count);
    chunk.copy(this.bytes, this.length, from, from + count);
    this.length += count;
    return count;
  }

  #makeRoom(needed: number): void {
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.min(Math.max(2 * this.bytes.length, needed), this.maxBytes));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}
