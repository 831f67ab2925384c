import { existsSync, rmSync, statSync } from 'node:fs';
import { expect } from 'chai';
import { type LineProcess, patienceMs } from '../support/line-process.ts';
import { ResilientClient, type SentMessage } from './resilient-client.ts';
import { SmallDisk } from './small-disk.ts';

const ballastBytes = 1024 * 1024;
const largeBallastBytes = 2_000_000;
const names = ['romeo', 'juliet', 'tybalt', 'laurence'];
/** A bound of the messages that the test sends: far more than fit on the disk. */
const maxMessages = 5000;

describe('a full disk (XEP-0198 §4)', () => {
  let disk: SmallDisk | undefined;
  before(async function () {
    disk = await SmallDisk.make(8);
    if (disk) return;
    console.log('      skipped: this user may not mount a file system in a namespace of its own');
    this.skip();
  });
  after(() => disk?.close());

  it('loses nothing acknowledged, lets other work continue, and recovers when space is free', async () => {
    if (!disk) return;
    const scenario = new FullDiskScenario(disk);
    try {
      await scenario.play();
      console.log(`      disk full: ${scenario.figures()}`);
    } finally {
      scenario.abandon();
    }
  });
});

describe('a disk filled by stored messages', () => {
  let disk: SmallDisk | undefined;
  before(async function () {
    disk = await SmallDisk.make(12);
    if (!disk) this.skip();
  });
  after(() => disk?.close());

  it('recovers without a restart when the messages have been read', async () => {
    if (!disk) return;
    const server = disk.serve(names, largeBallastBytes);
    try {
      await fillAndRead(disk, server);
    } finally {
      server.kill('SIGKILL');
      await server.end();
    }
  });
});

/** Sends Tybalt more than the disk can hold, and lets him read what was stored. */
async function fillAndRead(disk: SmallDisk, server: LineProcess): Promise<void> {
  const port = Number((await server.waitFor('its port', () => portLine(server))).slice(5));
  const refused: string[] = [];
  const romeo = new ResilientClient('romeo', true, {
    acknowledged: () => undefined,
    refused: (id) => void refused.push(id),
  });
  const tybalt = new ResilientClient('tybalt', true, { acknowledged: () => undefined });
  const writes = async (ids: readonly string[], to: string, padding: number) => {
    for (const id of ids) romeo.sends({ id, to, padding });
    await romeo.readsAcknowledgments();
  };
  await romeo.connects(port);
  const ids = Array.from({ length: 400 }, (_, index) => String(index));
  while (ids.length > 0) await writes(ids.splice(0, 10), 'tybalt', 30_000);
  const { size } = statSync(disk.path('ampere.db'));
  expect(refused).not.to.deep.equal([]);

  await tybalt.connects(port);
  await tybalt.readsAll();
  expect(tybalt.received).to.have.lengthOf(400 - refused.length);
  await tybalt.closes();

  const began = performance.now();
  for (let attempt = 0; ; attempt++) {
    const before = refused.length;
    await writes([`again ${attempt}`], 'laurence', 0);
    if (refused.length === before) break;
    expect(performance.now() - began, 'time until something is stored again').to.be.lessThan(patienceMs);
  }
  // Free pages of the database are reused, but for what was in its log, and the ballast exists again.
  expect(statSync(disk.path('ampere.db')).size).to.be.at.most(size + largeBallastBytes / 4);
  expect(statSync(disk.path('ampere.ballast')).size).to.equal(largeBallastBytes);
  romeo.disconnects();
}

function portLine(server: LineProcess): string | undefined {
  return server.lines.find((line) => line.startsWith('port '));
}

/** Romeo writes, Juliet reads all the time, Tybalt and Laurence are offline at first. */
class FullDiskScenario {
  readonly #disk: SmallDisk;
  readonly #acknowledged: SentMessage[] = [];
  readonly #refused = new Map<string, string>();
  readonly #romeo: ResilientClient;
  readonly #juliet: ResilientClient;
  readonly #tybalt: ResilientClient;
  readonly #laurence: ResilientClient;
  #server: LineProcess | undefined;
  #port = 0;
  #reading: Promise<void> = Promise.resolve();
  #written = 0;
  #recoveredMs: number[] = [];

  constructor(disk: SmallDisk) {
    this.#disk = disk;
    const others = { acknowledged: () => undefined };
    this.#romeo = new ResilientClient('romeo', true, {
      acknowledged: (messages) => void this.#acknowledged.push(...messages),
      refused: (id, condition) => void this.#refused.set(id, condition),
    });
    this.#juliet = new ResilientClient('juliet', true, others);
    this.#tybalt = new ResilientClient('tybalt', true, others);
    this.#laurence = new ResilientClient('laurence', true, others);
  }

  async play(): Promise<void> {
    await this.#begin();
    await this.#writeWithSpace();
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

  /** Kills the server, if any. */
  abandon(): void {
    this.#server?.kill('SIGKILL');
  }

  async #begin(): Promise<void> {
    await this.#start();
    expect(existsSync(this.#disk.path('ampere.ballast'))).to.equal(true);
  }

  /** While space is free, nothing is refused. */
  async #writeWithSpace(): Promise<void> {
    await this.#writes('tybalt', 60);
    await this.#writes('juliet', 60);
    await this.#writes('laurence', 30);
    expect([...this.#refused]).to.deep.equal([]);
  }

  /**
   * Fills the disk and writes on: a write fails in the middle, or the server notices in time and refuses. Tries a few times for the
   * first, which is the harder one.
   */
  async #fillAndWriteOn(): Promise<void> {
    for (let attempt = 0; attempt < 3 && this.#count('the disk is full') === 0; attempt++) {
      if (attempt > 0) await this.#clearAndRecover();
      this.#disk.fill();
      const { size } = this.#refused;
      while (this.#refused.size < size + 100 && this.#written < maxMessages) {
        await this.#writes('tybalt', 20);
        await this.#writes('juliet', 2);
      }
    }
    expect([...new Set(this.#refused.values())]).to.deep.equal(['resource-constraint']);
    const full = this.#count('the disk is full');
    expect(full).to.be.at.most(1);
    if (full > 0) expect(existsSync(this.#disk.path('ampere.ballast'))).to.equal(false);
  }

  /** Messages stored before are delivered once, and not again to the next session. */
  async #drainWhileFull(): Promise<void> {
    for (let visit = 0; visit < 2; visit++) {
      await this.#laurence.connects(this.#port);
      await this.#laurence.readsAll();
      this.#laurence.disconnects();
      this.#laurence.forgetsSession();
      expect(this.#laurence.received, `visit ${visit}`).to.have.lengthOf(30);
    }
  }

  /** Connected users go on chatting. When space is free, messages are stored again without a restart. */
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

  /** A start on a full disk uses the ballast: Tybalt gets his stored messages, and new ones are refused. */
  async #startOnFullDisk(): Promise<void> {
    this.#disk.fill();
    await this.#start();
    expect(existsSync(this.#disk.path('ampere.ballast'))).to.equal(false);
    const { size } = this.#refused;
    await this.#writes('tybalt', 10);
    expect(this.#refused.size).to.equal(size + 10);
    await this.#tybalt.connects(this.#port);
    await this.#tybalt.readsAll();
    this.#tybalt.disconnects();
    this.#tybalt.forgetsSession();
  }

  async #compare(): Promise<void> {
    const clients = [this.#tybalt, this.#laurence];
    for (const client of clients) {
      await client.connects(this.#port);
      await client.readsAll();
    }
    expect(this.#romeo.unacknowledged).to.equal(0);
    expect(this.#acknowledged).to.have.lengthOf(this.#written);
    const received = new Map([...clients, this.#juliet].map((client) => [client.name, client.received]));
    const kept = this.#acknowledged.filter(({ id }) => !this.#refused.has(id));
    const lost = kept.filter(({ id, to }) => !received.get(to)?.includes(id));
    expect(lost.map(({ id, to }) => `${id} to ${to}`)).to.deep.equal([]);
    const all = [...received.values()].flat();
    expect(all.filter((id) => this.#refused.has(id))).to.deep.equal([]);
    expect(all).to.have.lengthOf(new Set(all).size);
    for (const client of clients) client.disconnects();
  }

  async #stop(): Promise<void> {
    this.#romeo.disconnects();
    this.#juliet.disconnects();
    await this.#reading;
    this.#server?.kill('SIGTERM');
    expect(await this.#server?.end()).to.equal(0);
    expect(this.#server?.complaints).to.deep.equal([]);
  }

  /** The control: without the ballast the start fails. */
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
    await this.#juliet.connects(this.#port);
    this.#reading = this.#juliet.reads(() => undefined);
    // A rejection is awaited later.
    this.#reading.catch(() => undefined);
    await this.#romeo.connects(this.#port);
  }

  /** Romeo sends messages, and reads until all are acknowledged: stored, delivered, or refused. */
  async #writes(to: string, count: number): Promise<void> {
    for (let message = 0; message < count; message++)
      this.#romeo.sends({ id: String(this.#written++), to, padding: 2000 });
    await this.#romeo.readsAcknowledgments();
  }

  #said<T>(what: string, pick: () => T | undefined): Promise<T> {
    if (!this.#server) throw new Error('no server was started');
    return this.#server.waitFor(what, pick);
  }

  #count(message: string): number {
    return this.#server?.lines.filter((line) => line.includes(message)).length ?? 0;
  }
}
