import { flushAtTurnEnd } from '../streams/turn-end.ts';
import { type Piece, RecordRing, ringMemory, type TakeRecord } from './record-ring.ts';

/** What two threads share; each gets one end of the link. */
export interface LinkMemory {
  readonly toEdge: SharedArrayBuffer;
  readonly toCore: SharedArrayBuffer;
  readonly bells: SharedArrayBuffer;
}

/** What is at this end of a link. */
interface LinkUser {
  readonly took: TakeRecord;
  /** There is room again for what had to wait. */
  readonly relieved: () => void;
}

interface QueuedRecord {
  readonly kind: number;
  readonly id: number;
  readonly pieces: readonly Piece[];
  readonly length: number;
}

/** Room for what one side may do while the other is at work. */
const ringBytes = 1024 * 1024;
/** More bytes than this go as several records. */
const longestRecord = 64 * 1024;
/** The bells have a line of the cache each. */
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
 * One end of the link between the core and an edge. All that is put in one turn of the event loop travels together; a
 * bell wakes the other thread unless it has been rung already.
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

  /** Whether something has to wait for the other side to make room. */
  get crowded(): boolean {
    return this.#waiting.length > 0;
  }

  /** Sends a record; the answer is for `isTaken`. */
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

  /** Whether the other side has taken everything up to what `put` answered. */
  isTaken(count: number): boolean {
    return this.#outgoing.takenCount >= count;
  }

  /** Lets the other side see everything that was put. */
  flush(): void {
    this.#flushDue = false;
    if (this.#outgoing.publish()) this.#ring(this.#otherBell);
  }

  /** Listens no more. */
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
    // There may be room since before it was asked for.
    return this.#outgoing.put(kind, id, pieces, length);
  }

  /** Puts what has waited, as far as there is room. */
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
    // It was rung meanwhile: sockets and timers get their turn all the same.
    else setImmediate(this.#heard);
  }

  readonly #heard = (): void => {
    if (this.#closed) return;
    // Before anything is taken, so that a bell for what comes behind it is heard.
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
