import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startServer } from '../../../src/compose/server.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { addUser } from '../../../src/web/control/user-operations.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import type { ConnectionTarget } from '../../support/test-connection.ts';
import { InstantDisk } from './instant-disk.ts';
import { accountOf, Ledger } from './ledger.ts';
import { cast, type Setting, type Step, solos } from './steps.ts';
import { WalkClient } from './walk-client.ts';

/** The initial state of every walk: accounts on the disk, and certificates. */
export interface InitialState {
  readonly image: Buffer;
  readonly directory: string;
}

const setting: Setting = { maxStanzas: 1000, ackEveryStanzas: 5, paddingBytes: 0, diskFailures: false };

/** Makes the accounts of all clients. */
export async function initialState(): Promise<InitialState> {
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
    listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], components: [], http: [], https: [], proxy: [] },
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

/** A server whose disk and clock the test controls, and its clients. */
export class Walk {
  readonly ledger = new Ledger();
  readonly #initialState: InitialState;
  readonly #setting: Setting;
  readonly #clients: ReadonlyMap<string, WalkClient>;
  readonly #ended: Promise<void>[] = [];
  readonly #directories: string[] = [];
  #clock = new ManualClock();
  #log = new RecordingLog();
  #disk: InstantDisk;
  #server: Server | undefined;
  #written = 0;

  constructor(from: InitialState, given: Setting) {
    this.#initialState = from;
    this.#setting = given;
    this.#disk = new InstantDisk(from.image);
    const clients = Object.entries(cast).map(
      ([name, kind]) => [name, new WalkClient(name, kind, this.ledger)] as const,
    );
    this.#clients = new Map(clients);
  }

  async open(): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'ampere-walk-'));
    this.#directories.push(directory);
    await cp(join(this.#initialState.directory, 'tls'), join(directory, 'tls'), { recursive: true });
    this.#log = new RecordingLog();
    this.#server = await start(directory, this.#disk, this.#clock, this.#log, this.#setting);
  }

  async takes(step: Step): Promise<void> {
    switch (step.does) {
      case 'sends':
        return this.#write(step);
      case 'time passes':
        return this.#passes(step.ms);
      case 'turns':
        return turns(step.count);
      case 'disk':
        return this.#disk.become(step.mode);
      case 'disk fails':
      case 'disk fills':
        return this.#refuses(step);
      case 'crash':
        return this.#crash();
      case 'restart':
        return this.#restart();
      case 'reload':
        return this.#server?.reload();
      case 'sends presence':
        return this.#client(step.who).sendsPresence(step.presence);
      default:
        return this.#acts(step.does, this.#client(step.who));
    }
  }

  /** Reconnects all clients, lets all their sessions end, and then lets new sessions read everything. */
  async finishes(): Promise<void> {
    this.#disk.become('running');
    this.#disk.nearlyFull = false;
    for (const client of this.#clients.values()) {
      client.mute = false;
      client.cut();
    }
    // A client with too long a queue is closed, and connects again.
    for (let round = 0; round < 6; round++) {
      for (const client of this.#clients.values()) if (!client.connected) await this.#connects(client);
      await this.#quiet();
    }
    const resuming = [...this.#clients.values()].filter(({ kind }) => kind === 'resuming');
    const stuck = resuming.flatMap((client) => client.unacknowledged.map(({ id }) => id));
    if (stuck.length > 0) this.ledger.faults.push(`never acknowledged: ${stuck}`);
    for (const client of this.#clients.values()) client.cut();
    await turns(5);
    await this.#passes(4_000_000);
    for (const client of this.#clients.values()) {
      client.forgetsSession();
      client.sendsPresence('<presence/>');
    }
    for (let round = 0; round < 2; round++) {
      for (const client of this.#clients.values()) if (!client.connected) await this.#connects(client);
      await this.#quiet();
    }
    const readers = new Map([...this.#clients.values()].map((client) => [accountOf(client.name), client]));
    for (const [account, client] of readers)
      this.ledger.faults.push(...this.ledger.archiveFaults(account, await client.readsArchive(this.#target)));
  }

  /** The broken promises, at the end of the walk. */
  failures(): string[] {
    const { ledger } = this;
    return [
      ...ledger.faults,
      ...ledger.lost(this.#clock.nowMs()).map((id) => `lost: ${id} to ${ledger.messages.get(id)?.to}`),
      ...solos.flatMap((account) => ledger.disorder(account).map((id) => `${account} got ${id} too late`)),
      ...this.#alarms(),
    ];
  }

  async end(): Promise<void> {
    for (const client of this.#clients.values()) client.cut();
    this.#disk.become('running');
    await this.#stops(this.#server);
    await Promise.all(this.#ended);
    for (const directory of this.#directories) await rm(directory, { recursive: true, force: true });
  }

  /** Warnings and errors in the log, unless the disk caused them. */
  #alarms(): string[] {
    return this.ledger.troubled ? [] : this.#log.alarms.map((line) => line.slice(0, 1000));
  }

  #client(name: string): WalkClient {
    const client = this.#clients.get(name);
    if (!client) throw new Error(`${name} is not a client of the walk`);
    return client;
  }

  async #acts(does: string, client: WalkClient): Promise<void> {
    switch (does) {
      case 'begins anew':
        client.cut();
        client.forgetsSession();
        return this.#connects(client);
      case 'connects':
        client.cut();
        return this.#connects(client);
      case 'resumes twice':
        client.cut();
        this.#disk.become('running');
        return this.#patiently(client.resumesTwice(this.#target));
      case 'is cut off':
        return client.cut();
      case 'closes':
        this.#disk.become('running');
        return this.#patiently(client.closes());
      case 'stops reading':
        this.#provesNothing(client);
        return client.stopsReading();
      case 'reads again':
        return client.readsAgain();
      case 'stops answering':
        this.#provesNothing(client);
        client.mute = true;
        return;
      case 'answers again':
        client.mute = false;
    }
  }

  /** Records that only some messages are kept for a client without stream management that answers no pings. */
  #provesNothing({ kind, name }: WalkClient): void {
    if (kind === 'plain') this.ledger.keptUpTo.set(accountOf(name), this.#setting.maxStanzas);
  }

  #refuses(step: Extract<Step, { does: 'disk fails' | 'disk fills' }>): void {
    if (!this.#setting.diskFailures) return;
    this.ledger.troubled = true;
    if (step.does === 'disk fills') this.#disk.nearlyFull = step.nearlyFull;
    else this.#disk.failOnce({ code: step.code, message: 'caused by the walk' });
  }

  #write({ who, to, count, rest }: Extract<Step, { does: 'sends' }>): void {
    const { type, expiresInMs } = rest;
    for (let left = count; left > 0; left--) {
      const id = `${who.replace('/', '.')}-${this.#written++}`;
      const body = `${id} ${'x'.repeat(this.#setting.paddingBytes)}`;
      const expiresAtMs = expiresInMs && this.#clock.nowMs() + expiresInMs;
      this.#client(who).sends({ id, writer: who, to, type, body, expiresAtMs });
    }
    this.#client(who).requestsAck();
  }

  get #target(): ConnectionTarget {
    const address = this.#server?.addresses.c2s[0];
    if (!address) throw new Error('the server is not listening');
    return { host: address.address, port: address.port };
  }

  async #connects(client: WalkClient): Promise<void> {
    this.#disk.become('running');
    await this.#patiently(client.connects(this.#target));
  }

  /** Advances the clock while work takes long. */
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

  /** Resolves when several rounds of pings have brought no messages. */
  async #quiet(): Promise<void> {
    for (let quiet = 0, rounds = 0; quiet < 4 && rounds < 400; quiet++, rounds++) {
      const before = this.ledger.received.length;
      for (const client of this.#clients.values()) {
        if (client.connected) await this.#patiently(client.pings().then(() => undefined));
      }
      this.#clock.advance(300);
      await turns(5);
      if (this.ledger.received.length > before || !this.#disk.idle) quiet = 0;
    }
  }

  /** Crashes the server, and starts another with the state of its disk. */
  async #crash(): Promise<void> {
    const image = this.#disk.image();
    for (const client of this.#clients.values()) client.cut();
    this.#disk.become('running');
    this.#ended.push(this.#stops(this.#server));
    await this.#startsFrom(image);
  }

  async #restart(): Promise<void> {
    this.#disk.become('running');
    await this.#stops(this.#server);
    for (const client of this.#clients.values()) client.cut();
    await this.#startsFrom(this.#disk.image());
  }

  async #startsFrom(image: Buffer): Promise<void> {
    this.ledger.faults.push(...this.#alarms());
    // A start takes time, so ids of rows that were lost are not given again.
    const clock = new ManualClock(this.#clock.nowMs() + 100);
    this.#clock = clock;
    this.#disk = new InstantDisk(image);
    await this.open();
  }

  /** Stops a server while the clock advances, so that no wait is endless. */
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

/** Waits for turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left--) await new Promise(setImmediate);
}
