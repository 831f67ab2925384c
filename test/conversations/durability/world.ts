import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startServer } from '../../../src/compose/server.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { addUser } from '../../../src/web/control/user-operations.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import type { ConnectionTarget } from '../../support/test-connection.ts';
import { Actor } from './actor.ts';
import { InstantDisk } from './instant-disk.ts';
import { accountOf, Ledger } from './ledger.ts';
import { cast, type Setting, type Step, solos } from './steps.ts';

/** What every walk begins with: accounts on the disk, and certificates. */
export interface Beginning {
  readonly image: Buffer;
  readonly directory: string;
}

const setting: Setting = { maxStanzas: 1000, ackEveryStanzas: 5, paddingBytes: 0, trouble: false };

/** Makes the accounts of the cast. */
export async function beginning(): Promise<Beginning> {
  const directory = await mkdtemp(join(tmpdir(), 'ampere-walks-'));
  const disk = new InstantDisk();
  const server = await start(directory, disk, new ManualClock(), new RecordingLog(), setting);
  const accounts = new Set(Object.keys(cast).map(accountOf));
  for (const account of accounts)
    await server.administration.call(addUser, { jid: `${account}@localhost`, password: `${account}-password` });
  await server.stop();
  return { image: disk.image(), directory };
}

function start(
  dataDir: string,
  disk: InstantDisk,
  clock: ManualClock,
  log: RecordingLog,
  given: Setting,
): Promise<Server> {
  const { maxStanzas, ackEveryStanzas } = given;
  const config = configSchema({ directory: dataDir, environment: {} }).parse({
    listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], components: [] },
    tls: { required: false },
    s2s: { enabled: false },
    authentication: { scramIterations: 4096 },
    streamManagement: { maxStanzas, ackEveryStanzas },
    offline: { maxMessages: 10_000 },
    limits: { disabled: true },
    dataDir,
  });
  return startServer(config, { log, clock, openStorage: disk.open });
}

/** A server whose disk and clock are in the hands of the test, and those who talk to it. */
export class World {
  readonly ledger = new Ledger();
  readonly #beginning: Beginning;
  readonly #setting: Setting;
  readonly #actors: ReadonlyMap<string, Actor>;
  readonly #ended: Promise<void>[] = [];
  readonly #directories: string[] = [];
  #clock = new ManualClock();
  #log = new RecordingLog();
  #disk: InstantDisk;
  #server: Server | undefined;
  #written = 0;

  constructor(from: Beginning, given: Setting) {
    this.#beginning = from;
    this.#setting = given;
    this.#disk = new InstantDisk(from.image);
    const actors = Object.entries(cast).map(([name, manner]) => [name, new Actor(name, manner, this.ledger)] as const);
    this.#actors = new Map(actors);
  }

  async open(): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'ampere-walk-'));
    this.#directories.push(directory);
    await cp(join(this.#beginning.directory, 'tls'), join(directory, 'tls'), { recursive: true });
    this.#log = new RecordingLog();
    this.#server = await start(directory, this.#disk, this.#clock, this.#log, this.#setting);
  }

  async does(step: Step): Promise<void> {
    switch (step.does) {
      case 'writes':
        return this.#write(step);
      case 'time passes':
        return this.#passes(step.ms);
      case 'turns':
        return turns(step.count);
      case 'disk':
        return this.#disk.become(step.mood);
      case 'disk fails':
      case 'disk fills':
        return this.#refuses(step);
      case 'crash':
        return this.#crash();
      case 'restart':
        return this.#restart();
      case 'reload':
        return this.#server?.reload();
      case 'shows':
        return this.#actor(step.who).shows(step.presence);
      default:
        return this.#acts(step.does, this.#actor(step.who));
    }
  }

  /** Everybody comes back, then nobody does, then each account has one client that reads all there is. */
  async reckons(): Promise<void> {
    this.#disk.become('running');
    this.#disk.nearlyFull = false;
    for (const actor of this.#actors.values()) {
      actor.mute = false;
      actor.cut();
    }
    // Who is sent more than may wait is closed, and comes again.
    for (let round = 0; round < 6; round++) {
      for (const actor of this.#actors.values()) if (!actor.connected) await this.#comes(actor);
      await this.#quiet();
    }
    const resuming = [...this.#actors.values()].filter(({ manner }) => manner === 'resuming');
    const stuck = resuming.flatMap((actor) => actor.unacknowledged.map(({ id }) => id));
    if (stuck.length > 0) this.ledger.faults.push(`never acknowledged: ${stuck}`);
    for (const actor of this.#actors.values()) actor.cut();
    await turns(5);
    await this.#passes(4_000_000);
    for (const actor of this.#actors.values()) {
      actor.forgets();
      actor.shows('<presence/>');
    }
    for (let round = 0; round < 2; round++) {
      for (const actor of this.#actors.values()) if (!actor.connected) await this.#comes(actor);
      await this.#quiet();
    }
  }

  /** What is wrong, after the reckoning. */
  verdict(): string[] {
    const { ledger } = this;
    return [
      ...ledger.faults,
      ...ledger.lost(this.#clock.nowMs()).map((id) => `lost: ${id} to ${ledger.letters.get(id)?.to}`),
      ...solos.flatMap((account) => ledger.disorder(account).map((id) => `${account} got ${id} too late`)),
      ...this.#alarms(),
    ];
  }

  async end(): Promise<void> {
    for (const actor of this.#actors.values()) actor.cut();
    this.#disk.become('running');
    await this.#stops(this.#server);
    await Promise.all(this.#ended);
    for (const directory of this.#directories) await rm(directory, { recursive: true, force: true });
  }

  /** What the server has complained of, unless the disk gave it a reason. */
  #alarms(): string[] {
    return this.ledger.troubled ? [] : this.#log.alarms.map((line) => line.slice(0, 1000));
  }

  #actor(name: string): Actor {
    const actor = this.#actors.get(name);
    if (!actor) throw new Error(`${name} takes no part`);
    return actor;
  }

  async #acts(does: string, actor: Actor): Promise<void> {
    switch (does) {
      case 'comes anew':
        actor.cut();
        actor.forgets();
        return this.#comes(actor);
      case 'comes':
        actor.cut();
        return this.#comes(actor);
      case 'comes twice':
        actor.cut();
        this.#disk.become('running');
        return this.#patiently(actor.comesTwice(this.#target));
      case 'is cut':
        return actor.cut();
      case 'says goodbye':
        this.#disk.become('running');
        return this.#patiently(actor.saysGoodbye());
      case 'dozes':
        this.#provesNothing(actor);
        return actor.dozes();
      case 'wakes':
        return actor.wakes();
      case 'falls silent':
        this.#provesNothing(actor);
        actor.mute = true;
        return;
      case 'speaks':
        actor.mute = false;
    }
  }

  /** Of what is sent without stream management to somebody who answers no ping, only so much is kept. */
  #provesNothing({ manner, name }: Actor): void {
    if (manner === 'plain') this.ledger.keptUpTo.set(accountOf(name), this.#setting.maxStanzas);
  }

  #refuses(step: Extract<Step, { does: 'disk fails' | 'disk fills' }>): void {
    if (!this.#setting.trouble) return;
    this.ledger.troubled = true;
    if (step.does === 'disk fills') this.#disk.nearlyFull = step.nearlyFull;
    else this.#disk.failOnce({ code: step.code, message: 'as the walk wants it' });
  }

  #write({ who, to, count, rest }: Extract<Step, { does: 'writes' }>): void {
    const { type, expiresInMs } = rest;
    for (let left = count; left > 0; left--) {
      const id = `${who.replace('/', '.')}-${this.#written++}`;
      const body = `${id} ${'x'.repeat(this.#setting.paddingBytes)}`;
      const expiresAtMs = expiresInMs && this.#clock.nowMs() + expiresInMs;
      this.#actor(who).writes({ id, writer: who, to, type, body, expiresAtMs });
    }
    this.#actor(who).asks();
  }

  get #target(): ConnectionTarget {
    const address = this.#server?.addresses.c2s[0];
    if (!address) throw new Error('the server listens nowhere');
    return { host: address.address, port: address.port };
  }

  async #comes(actor: Actor): Promise<void> {
    this.#disk.become('running');
    await this.#patiently(actor.comes(this.#target));
  }

  /** Time goes on while something takes long. */
  async #patiently(work: Promise<void>): Promise<void> {
    let over = false;
    const done = work.finally(() => {
      over = true;
    });
    done.catch(() => undefined);
    const patientMs = 100;
    for (let waited = 0; !over && waited < 100; waited++) {
      const deadline = performance.now() + patientMs;
      while (!over && performance.now() < deadline) await turns(1);
      if (!over) this.#clock.advance(1000);
    }
    return done;
  }

  async #passes(ms: number): Promise<void> {
    const pace = Math.max(200, ms / 20);
    for (let left = ms; left > 0; left -= pace) {
      this.#clock.advance(Math.min(pace, left));
      await turns(4);
    }
  }

  /** Until many rounds of pings have brought nothing. */
  async #quiet(): Promise<void> {
    for (let quiet = 0, rounds = 0; quiet < 4 && rounds < 400; quiet++, rounds++) {
      const before = this.ledger.received.length;
      for (const actor of this.#actors.values()) {
        if (actor.connected) await this.#patiently(actor.pings().then(() => undefined));
      }
      this.#clock.advance(300);
      await turns(5);
      if (this.ledger.received.length > before || !this.#disk.idle) quiet = 0;
    }
  }

  /** The process dies: what is on the disk goes on with another. */
  async #crash(): Promise<void> {
    const image = this.#disk.image();
    for (const actor of this.#actors.values()) actor.cut();
    this.#disk.become('running');
    this.#ended.push(this.#stops(this.#server));
    await this.#rises(image);
  }

  async #restart(): Promise<void> {
    this.#disk.become('running');
    await this.#stops(this.#server);
    for (const actor of this.#actors.values()) actor.cut();
    await this.#rises(this.#disk.image());
  }

  async #rises(image: Buffer): Promise<void> {
    this.ledger.faults.push(...this.#alarms());
    const clock = new ManualClock(this.#clock.nowMs());
    this.#clock = clock;
    this.#disk = new InstantDisk(image);
    await this.open();
  }

  /** What waits for time to pass must not wait for ever. */
  async #stops(server: Server | undefined): Promise<void> {
    const clock = this.#clock;
    let over = false;
    const stopped = server?.stop().finally(() => {
      over = true;
    });
    for (let waited = 0; !over && waited < 2000; waited++) {
      await turns(5);
      if (waited > 20) clock.advance(500);
    }
    await stopped;
  }
}

/** Lets the event loop go round. */
export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise(setImmediate);
}
