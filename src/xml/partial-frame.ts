const minPieceBytes = 1024;

/** Joins the bytes of a frame that arrived in more than one chunk. */
export class PartialFrame {
  /** Never reused after the frame has been handed out. */
  bytes: Buffer;
  length = 0;
  /** The offset at which scanning continues. */
  scanned = 0;
  readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.bytes = Buffer.allocUnsafe(Math.min(maxBytes, minPieceBytes));
  }

  /** Whether the frame has the largest allowed size. */
  get full(): boolean {
    return this.length >= this.maxBytes;
  }

  /**
   * Takes some bytes of `chunk`, and returns how many. It does not take all at once, so that the rest of a large chunk is not
   * copied if the frame ends early in it.
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
