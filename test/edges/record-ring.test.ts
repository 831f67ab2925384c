import { expect } from 'chai';
import fc from 'fast-check';
import { type Piece, RecordRing, ringMemory } from '../../src/edges/record-ring.ts';

type Taken = readonly [kind: number, id: number, text: string];

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0);
}

/** Both ends of a ring, in one thread. */
class Ends {
  readonly memory: SharedArrayBuffer;
  readonly writer: RecordRing;
  readonly reader: RecordRing;

  /** The positions begin at `start`, as after that many bytes. */
  constructor(bytes: number, start = 0) {
    this.memory = ringMemory(bytes);
    new Int32Array(this.memory, 0, 32).fill(start);
    this.writer = new RecordRing(this.memory);
    this.reader = new RecordRing(this.memory);
  }

  put(kind: number, id: number, ...pieces: Piece[]): boolean {
    return this.writer.put(kind, id, pieces, lengthOf(pieces));
  }

  take(): Taken[] {
    const all: Taken[] = [];
    this.reader.takeAll((kind, id, payload) => all.push([kind, id, payload.toString()]));
    return all;
  }
}

describe('A ring of records', () => {
  it('passes records on in order, and only what was published', () => {
    const ends = new Ends(1024);
    ends.put(1, 7, 'one, ', Buffer.from('two, '), 'dréi');
    ends.put(127, 0xffff_ffff);
    expect(ends.take()).to.deep.equal([]);
    expect(ends.writer.publish()).to.equal(true);
    ends.put(3, 0, 'later');
    expect(ends.take()).to.deep.equal([
      [1, 7, 'one, two, dréi'],
      [127, 0xffff_ffff, ''],
    ]);
    expect(ends.take()).to.deep.equal([]);
    expect(ends.writer.publish()).to.equal(true);
    expect(ends.writer.publish()).to.equal(false);
    expect(ends.take()).to.deep.equal([[3, 0, 'later']]);
  });

  it('refuses what does not fit, and takes it when there is room', () => {
    const ends = new Ends(64);
    expect(ends.put(1, 1, 'x'.repeat(48))).to.equal(true);
    expect(ends.put(1, 2, 'y')).to.equal(false);
    ends.writer.publish();
    expect(ends.take()).to.have.length(1);
    expect(ends.put(1, 2, 'y')).to.equal(true);
    expect(ends.put(1, 3, 'z'.repeat(32))).to.equal(true);
    expect(ends.put(1, 4)).to.equal(false);
    ends.writer.publish();
    expect(ends.take()).to.deep.equal([
      [1, 2, 'y'],
      [1, 3, 'z'.repeat(32)],
    ]);
  });

  it('says when the writer has asked for room', () => {
    const ends = new Ends(64);
    const taken = () => ends.reader.takeAll(() => {});
    expect(taken()).to.equal(false);
    ends.writer.askForRoom();
    expect(taken()).to.equal(true);
    expect(taken()).to.equal(false);
  });

  it('hands out bytes that nobody changes any more', () => {
    const ends = new Ends(64);
    const kept: Buffer[] = [];
    for (const letter of ['a', 'b', 'c', 'd', 'e']) {
      ends.put(1, 1, letter.repeat(20));
      ends.writer.publish();
      ends.reader.takeAll((_kind, _id, payload) => kept.push(payload));
    }
    expect(kept.map(String)).to.deep.equal(['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(20)));
  });

  it('is a queue, whatever is done to it and wherever it begins', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.uint8Array({ maxLength: 60 }).map(Buffer.from),
    );
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ kind: fc.nat(127), id: fc.nat(), pieces: fc.array(piece, { maxLength: 3 }) }),
      },
      fc.constant('publish' as const),
      fc.constant('take' as const),
    );
    // Positions are 32 bits with a sign: they must pass both of their ends.
    const start = fc.constantFrom(0, 2 ** 31 - 512, -512);
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 200 }), (from, steps) => {
        const ends = new Ends(512, from);
        const put: Taken[] = [];
        const got: Taken[] = [];
        for (const one of steps) {
          if (one === 'publish') ends.writer.publish();
          else if (one === 'take') got.push(...ends.take());
          else if (ends.put(one.kind, one.id, ...one.pieces))
            put.push([one.kind, one.id, Buffer.concat(one.pieces.map((text) => Buffer.from(text))).toString()]);
          expect(ends.writer.takenCount).to.equal(got.length);
        }
        ends.writer.publish();
        got.push(...ends.take());
        expect(got).to.deep.equal(put);
      }),
    );
  });
});
