/** Offsets of the words in the head. Writer and reader have separate cache lines. */
const published = 0;
const starved = 1;
const released = 16;
const taken = 17;
const headBytes = 128;
/** The header of each record: its kind and length, and its connection. */
const recordHeadBytes = 8;
const kindShift = 24;
const lengthMask = 0xff_ffff;
/** Marks the rest of the ring as unused, if a record did not fit before the end. */
const nothingHere = -1;

/** The contents of a record. Text is written as UTF-8. */
export type Piece = string | Buffer;

/** Receives a record of the other thread. The bytes are a copy. */
export type TakeRecord = (kind: number, id: number, payload: Buffer) => void;

/** Memory for a ring of `bytes`, a power of two. */
export function ringMemory(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(headBytes + bytes);
}

/**
 * Shared memory through which one thread passes records to another, in order: a kind (below 128), the number of a
 * connection, and bytes. Positions are 32-bit counters that wrap; their low bits are the offset in the ring.
 */
export class RecordRing {
  readonly #head: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #size: number;
  /** The writer's position, not yet published. */
  #end: number;
  /** The reader's position. */
  #start: number;
  #takenSeen = 0;
  #takenCount = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#head = new Int32Array(memory, 0, headBytes / Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(memory, headBytes);
    this.#bytes = Buffer.from(memory, headBytes);
    this.#size = memory.byteLength - headBytes;
    this.#end = Atomics.load(this.#head, published);
    this.#start = Atomics.load(this.#head, released);
    this.#takenSeen = Atomics.load(this.#head, taken);
  }

  // --- the writer

  /** Appends a record of `length` bytes; false if there is no room now. */
  put(kind: number, id: number, pieces: readonly Piece[], length: number): boolean {
    const whole = wholeLength(length);
    const toTheEnd = this.#size - this.#at(this.#end);
    const skipped = toTheEnd < whole ? toTheEnd : 0;
    const used = (this.#end - Atomics.load(this.#head, released)) | 0;
    if (used + skipped + whole > this.#size) return false;
    if (skipped > 0) {
      this.#words[this.#at(this.#end) >> 2] = nothingHere;
      this.#end = (this.#end + skipped) | 0;
    }
    const at = this.#at(this.#end);
    this.#words[at >> 2] = (kind << kindShift) | length;
    this.#words[(at >> 2) + 1] = id;
    this.#write(pieces, at + recordHeadBytes);
    this.#end = (this.#end + whole) | 0;
    return true;
  }

  /** Publishes the appended records; false if there are none. */
  publish(): boolean {
    if (Atomics.load(this.#head, published) === this.#end) return false;
    Atomics.store(this.#head, published, this.#end);
    return true;
  }

  /** How many records the reader has taken. */
  get takenCount(): number {
    const now = Atomics.load(this.#head, taken);
    this.#takenCount += (now - this.#takenSeen) | 0;
    this.#takenSeen = now;
    return this.#takenCount;
  }

  /** Asks the reader to signal when there is room. */
  askForRoom(): void {
    Atomics.store(this.#head, starved, 1);
  }

  // --- the reader

  /** Takes all published records and frees their space; true if the writer has asked for a signal. */
  takeAll(take: TakeRecord): boolean {
    const end = Atomics.load(this.#head, published);
    let count = Atomics.load(this.#head, taken);
    while (this.#start !== end) {
      if (this.#takeNext(take)) count += 1;
    }
    Atomics.store(this.#head, taken, count);
    Atomics.store(this.#head, released, end);
    return Atomics.exchange(this.#head, starved, 0) === 1;
  }

  #takeNext(take: TakeRecord): boolean {
    const at = this.#at(this.#start);
    const first = this.#word(at);
    if (first === nothingHere) {
      this.#start = (this.#start + this.#size - at) | 0;
      return false;
    }
    const length = first & lengthMask;
    const payload = Buffer.allocUnsafe(length);
    this.#bytes.copy(payload, 0, at + recordHeadBytes, at + recordHeadBytes + length);
    this.#start = (this.#start + wholeLength(length)) | 0;
    take(first >>> kindShift, this.#word(at + 4) >>> 0, payload);
    return true;
  }

  #at(position: number): number {
    return position & (this.#size - 1);
  }

  #word(at: number): number {
    return this.#words[at >> 2] ?? nothingHere;
  }

  #write(pieces: readonly Piece[], start: number): void {
    let at = start;
    for (const piece of pieces) {
      if (typeof piece === 'string') at += this.#bytes.write(piece, at);
      else at += piece.copy(this.#bytes, at);
    }
  }
}

/** The size of a record with its header, up to the start of the next one. */
function wholeLength(length: number): number {
  return (recordHeadBytes + length + 7) & ~7;
}
