import { existsSync, rmSync, statSync } from 'node:fs';
import { expect } from 'chai';
import { type LineProcess, patienceMs } from '../support/line-process.ts';
import { type Letter, Party } from './party.ts';
import { SmallDisk } from './small-disk.ts';

const ballastBytes = 1024 * 1024;
const names = ['romeo', 'juliet', 'tybalt', 'laurence'];
/** A bound of what the test writes: far more than the disk could take. */
const mostLetters = 5000;

describe('a disk that is full (XEP-0198 §4)', () => {
  let disk: SmallDisk | undefined;
  before(async function () {
    disk = await SmallDisk.make(8);
    if (disk) return;
    console.log('      skipped: this user may not mount a file system in a namespace of its own');
    this.skip();
  });
  after(() => disk?.close());

  it('costs nothing that was acknowledged, lets the rest go on, and is over when there is room', async () => {
    if (!disk) return;
    const play = new Play(disk);
    try {
      await play.whole();
      console.log(`      disk full: ${play.figures()}`);
    } finally {
      play.abandon();
    }
  });
});

describe('a disk that the stored messages have filled', () => {
  let disk: SmallDisk | undefined;
  before(async function () {
    disk = await SmallDisk.make(12);
    if (!disk) this.skip();
  });
  after(() => disk?.close());

  it('is usable again, without a restart, when the messages have been read', async () => {
    if (!disk) return;
    const server = disk.serve(names, 2_000_000);
    try {
      await fillAndRead(disk, server);
    } finally {
      server.kill('SIGKILL');
      await server.end();
    }
  });
});

/** More than the disk can hold is written to Tybalt, who then reads what was stored. */
async function fillAndRead(disk: SmallDisk, server: LineProcess): Promise<void> {
  const port = Number((await server.waitFor('its port', () => portLine(server))).slice(5));
  const refused: string[] = [];
  const romeo = new Party('romeo', true, { acknowledged: () => undefined, refused: (id) => void refused.push(id) });
  const tybalt = new Party('tybalt', true, { acknowledged: () => undefined });
  const writes = async (ids: readonly string[], to: string, padding: number) => {
    for (const id of ids) romeo.writes({ id, to, padding });
    await romeo.readsAcknowledgments();
  };
  await romeo.arrives(port);
  const ids = Array.from({ length: 400 }, (_, index) => String(index));
  while (ids.length > 0) await writes(ids.splice(0, 10), 'tybalt', 30_000);
  const { size } = statSync(disk.path('ampere.db'));
  expect(refused).not.to.deep.equal([]);

  await tybalt.arrives(port);
  await tybalt.empties();
  expect(tybalt.received).to.have.lengthOf(400 - refused.length);
  await tybalt.saysGoodbye();

  const began = performance.now();
  for (let attempt = 0; ; attempt++) {
    const before = refused.length;
    await writes([`again ${attempt}`], 'laurence', 0);
    if (refused.length === before) break;
    expect(performance.now() - began, 'time until something is stored again').to.be.lessThan(patienceMs);
  }
  // It is the pages of the database that are used again, and the ballast is back.
  expect(statSync(disk.path('ampere.db')).size).to.equal(size);
  expect(statSync(disk.path('ampere.ballast')).size).to.equal(2_000_000);
  romeo.leaves();
}

function portLine(server: LineProcess): string | undefined {
  return server.lines.find((line) => line.startsWith('port '));
}

/** Romeo writes, Juliet reads all the time, Tybalt and Laurence are away at first. */
class Play {
  readonly #disk: SmallDisk;
  readonly #acknowledged: Letter[] = [];
  readonly #refused = new Map<string, string>();
  readonly #romeo: Party;
  readonly #juliet: Party;
  readonly #tybalt: Party;
  readonly #laurence: Party;
  #server: LineProcess | undefined;
  #port = 0;
  #reading: Promise<void> = Promise.resolve();
  #written = 0;
  #recoveredMs: number[] = [];

  constructor(disk: SmallDisk) {
    this.#disk = disk;
    const others = { acknowledged: () => undefined };
    this.#romeo = new Party('romeo', true, {
      acknowledged: (letters) => void this.#acknowledged.push(...letters),
      refused: (id, condition) => void this.#refused.set(id, condition),
    });
    this.#juliet = new Party('juliet', true, others);
    this.#tybalt = new Party('tybalt', true, others);
    this.#laurence = new Party('laurence', true, others);
  }

  async whole(): Promise<void> {
    await this.#begin();
    await this.#calm();
    await this.#fillAndWriteOn();
    await this.#drainWhileFull();
    await this.#clearAndRecover();
    await this.#stop();
    await this.#startOnFullDisk();
    await this.#clearAndRecover();
    await this.#compare();
    await this.#stop();
    await this.#startWithoutBallast();
  }

  /** Leaves no server behind, whatever went wrong. */
  abandon(): void {
    this.#server?.kill('SIGKILL');
  }

  async #begin(): Promise<void> {
    await this.#start();
    expect(existsSync(this.#disk.path('ampere.ballast'))).to.equal(true);
  }

  /** All is well: nothing is refused. */
  async #calm(): Promise<void> {
    await this.#writes('tybalt', 60);
    await this.#writes('juliet', 60);
    await this.#writes('laurence', 30);
    expect([...this.#refused]).to.deep.equal([]);
  }

  /** Until the disk was full in the middle of a write, unless the server has looked just in time, and more was refused behind that. */
  async #fillAndWriteOn(): Promise<void> {
    for (let attempt = 0; attempt < 5 && this.#count('the disk is full') === 0; attempt++) {
      if (attempt > 0) await this.#clearAndRecover();
      this.#disk.fill();
      const { size } = this.#refused;
      while (this.#refused.size < size + 100 && this.#written < mostLetters) {
        await this.#writes('tybalt', 20);
        await this.#writes('juliet', 2);
      }
    }
    expect([...new Set(this.#refused.values())]).to.deep.equal(['resource-constraint']);
    expect(this.#count('the disk is full')).to.equal(1);
    expect(existsSync(this.#disk.path('ampere.ballast'))).to.equal(false);
  }

  /** What was stored before is given once, and not again to the next session. */
  async #drainWhileFull(): Promise<void> {
    for (let visit = 0; visit < 2; visit++) {
      await this.#laurence.arrives(this.#port);
      await this.#laurence.empties();
      this.#laurence.leaves();
      this.#laurence.forgets();
      expect(this.#laurence.received, `visit ${visit}`).to.have.lengthOf(30);
    }
  }

  /** Those who are there go on talking; when there is room, messages are kept again, without a restart. */
  async #clearAndRecover(): Promise<void> {
    const began = performance.now();
    const before = this.#count('enough disk space is free again');
    this.#disk.clear();
    while (this.#count('enough disk space is free again') === before && performance.now() < began + patienceMs) {
      await this.#writes('juliet', 1);
    }
    const { size } = this.#refused;
    await this.#writes('tybalt', 20);
    expect(this.#refused.size).to.equal(size);
    this.#recoveredMs.push(performance.now() - began);
    expect(existsSync(this.#disk.path('ampere.ballast'))).to.equal(true);
  }

  /** The ballast is what a start on a full disk lives on: Tybalt gets what is kept for him, and nothing new is taken. */
  async #startOnFullDisk(): Promise<void> {
    this.#disk.fill();
    await this.#start();
    expect(existsSync(this.#disk.path('ampere.ballast'))).to.equal(false);
    const { size } = this.#refused;
    await this.#writes('tybalt', 10);
    expect(this.#refused.size).to.equal(size + 10);
    await this.#tybalt.arrives(this.#port);
    await this.#tybalt.empties();
    this.#tybalt.leaves();
    this.#tybalt.forgets();
  }

  async #compare(): Promise<void> {
    const parties = [this.#tybalt, this.#laurence];
    for (const party of parties) {
      await party.arrives(this.#port);
      await party.empties();
    }
    expect(this.#romeo.unacknowledged).to.equal(0);
    expect(this.#acknowledged).to.have.lengthOf(this.#written);
    const received = new Map([...parties, this.#juliet].map((party) => [party.name, party.received]));
    const kept = this.#acknowledged.filter(({ id }) => !this.#refused.has(id));
    const lost = kept.filter(({ id, to }) => !received.get(to)?.includes(id));
    expect(lost.map(({ id, to }) => `${id} to ${to}`)).to.deep.equal([]);
    const all = [...received.values()].flat();
    expect(all.filter((id) => this.#refused.has(id))).to.deep.equal([]);
    expect(all).to.have.lengthOf(new Set(all).size);
    for (const party of parties) party.leaves();
  }

  async #stop(): Promise<void> {
    this.#romeo.leaves();
    this.#juliet.leaves();
    await this.#reading;
    this.#server?.kill('SIGTERM');
    expect(await this.#server?.end()).to.equal(0);
    expect(this.#server?.complaints).to.deep.equal([]);
  }

  /** The control: it is the ballast that does it. */
  async #startWithoutBallast(): Promise<void> {
    rmSync(this.#disk.path('ampere.ballast'));
    this.#disk.fill();
    const server = this.#disk.serve(names, ballastBytes);
    expect(await server.end()).to.equal(1);
    expect(server.complaints.join('\n')).to.include('ampere.db cannot be used on a full disk');
  }

  figures(): string {
    const found = this.#acknowledged.length - this.#refused.size;
    const seconds = this.#recoveredMs.map((ms) => `${(ms / 1000).toFixed(1)} s`);
    return `${found} kept, ${found} found; ${this.#refused.size} refused; recovered after ${seconds.join(' and ')}`;
  }

  async #start(): Promise<void> {
    this.#server = this.#disk.serve(names, ballastBytes);
    const line = await this.#said('its port', () => this.#server && portLine(this.#server));
    this.#port = Number(line.slice(5));
    await this.#juliet.arrives(this.#port);
    this.#reading = this.#juliet.reads(() => undefined);
    // Told when it is waited for.
    this.#reading.catch(() => undefined);
    await this.#romeo.arrives(this.#port);
  }

  /** Romeo writes, and reads until all of it is acknowledged: kept, delivered, or refused. */
  async #writes(to: string, count: number): Promise<void> {
    for (let letter = 0; letter < count; letter++)
      this.#romeo.writes({ id: String(this.#written++), to, padding: 2000 });
    await this.#romeo.readsAcknowledgments();
  }

  #said<T>(what: string, pick: () => T | undefined): Promise<T> {
    if (!this.#server) throw new Error('no server has been started');
    return this.#server.waitFor(what, pick);
  }

  #count(message: string): number {
    return this.#server?.lines.filter((line) => line.includes(message)).length ?? 0;
  }
}
