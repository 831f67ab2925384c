import { flushAtTurnEnd } from '../streams/turn-end.ts';
import { type Piece, RecordRing, ringMemory, type TakeRecord } from './record-ring.ts';

/** The memory of a link between two threads. */
export interface LinkMemory {
  readonly toEdge: SharedArrayBuffer;
  readonly toCore: SharedArrayBuffer;
  readonly bells: SharedArrayBuffer;
}

/** The user of one end of a link. */
interface LinkUser {
  readonly took: TakeRecord;
  /** There is room again for queued records. */
  readonly relieved: () => void;
}

interface QueuedRecord {
  readonly kind: number;
  readonly id: number;
  readonly pieces: readonly Piece[];
  readonly length: number;
}

/** The size of each ring: room for the records of one side while the other is busy. */
const ringBytes = 1024 * 1024;
/** Longer payloads are split into several records. */
const longestRecord = 64 * 1024;
/** Offsets of the bells, in separate cache lines. */
const bellOf = { edge: 0, core: 16 } as const;
const bellBytes = 128;
const silent = 0;
const rung = 1;

/** Memory for a link. */
export function linkMemory(): LinkMemory {
  return {
    toEdge: ringMemory(ringBytes),
    toCore: ringMemory(ringBytes),
    bells: new SharedArrayBuffer(bellBytes),
  };
}

/**
 * One end of the link between the core and an edge. All records of one turn of the event loop are published together. A
 * bell, a word of shared memory, wakes the other thread unless it has been rung already.
 */
export class ThreadLink {
  readonly #incoming: RecordRing;
  readonly #outgoing: RecordRing;
  readonly #bells: Int32Array;
  readonly #ownBell: number;
  readonly #otherBell: number;
  readonly #user: LinkUser;
  #waiting: QueuedRecord[] = [];
  #putCount = 0;
  #flushDue = false;
  #closed = false;

  constructor(memory: LinkMemory, end: 'core' | 'edge', user: LinkUser) {
    const atCore = end === 'core';
    this.#incoming = new RecordRing(atCore ? memory.toCore : memory.toEdge);
    this.#outgoing = new RecordRing(atCore ? memory.toEdge : memory.toCore);
    this.#bells = new Int32Array(memory.bells);
    this.#ownBell = bellOf[end];
    this.#otherBell = bellOf[atCore ? 'edge' : 'core'];
    this.#user = user;
    this.#listen();
  }

  /** Whether records wait for the other side to make room. */
  get crowded(): boolean {
    return this.#waiting.length > 0;
  }

  /** Sends a record; the result is for `isTaken`. */
  put(kind: number, id: number, ...pieces: readonly Piece[]): number {
    if (!this.#flushDue) {
      this.#flushDue = true;
      flushAtTurnEnd(this);
    }
    const length = lengthOf(pieces);
    if (length <= longestRecord) this.#send({ kind, id, pieces, length });
    else for (const part of parts(pieces)) this.#send({ kind, id, pieces: [part], length: part.length });
    return this.#putCount;
  }

  /** Whether the other side has taken all records up to the one for which `put` returned this value. */
  isTaken(count: number): boolean {
    return this.#outgoing.takenCount >= count;
  }

  /** Publishes all records to the other side. */
  flush(): void {
    this.#flushDue = false;
    if (this.#outgoing.publish()) this.#ring(this.#otherBell);
  }

  /** Stops listening. */
  close(): void {
    this.#closed = true;
    this.#ring(this.#ownBell);
  }

  #send(record: QueuedRecord): void {
    this.#putCount += 1;
    if (this.#waiting.length > 0 || !this.#fits(record)) this.#waiting.push(record);
  }

  #fits({ kind, id, pieces, length }: QueuedRecord): boolean {
    if (this.#outgoing.put(kind, id, pieces, length)) return true;
    this.#outgoing.askForRoom();
    // The other side may have made room before it was asked to.
    return this.#outgoing.put(kind, id, pieces, length);
  }

  /** Sends queued records, as far as there is room. */
  #catchUp(): void {
    const late = this.#waiting.findIndex((record) => !this.#fits(record));
    this.#waiting = late < 0 ? [] : this.#waiting.slice(late);
    this.flush();
    if (late < 0) this.#user.relieved();
  }

  #ring(bell: number): void {
    if (Atomics.exchange(this.#bells, bell, rung) === silent) Atomics.notify(this.#bells, bell);
  }

  #listen(): void {
    const ringing = Atomics.waitAsync(this.#bells, this.#ownBell, silent);
    if (ringing.async) void ringing.value.then(this.#heard);
    // The bell was rung meanwhile. Sockets and timers still get their turn first.
    else setImmediate(this.#heard);
  }

  readonly #heard = (): void => {
    if (this.#closed) return;
    // Reset before taking records, so that a bell for later records is not missed.
    Atomics.store(this.#bells, this.#ownBell, silent);
    if (this.#incoming.takeAll(this.#user.took)) this.#ring(this.#otherBell);
    if (this.#waiting.length > 0) this.#catchUp();
    this.#listen();
  };
}

function lengthOf(pieces: readonly Piece[]): number {
  let length = 0;
  for (const piece of pieces) length += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  return length;
}

function* parts(pieces: readonly Piece[]): Generator<Buffer> {
  for (const piece of pieces) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
    for (let start = 0; start < bytes.length; start += longestRecord)
      yield bytes.subarray(start, start + longestRecord);
  }
}
