import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevelopmentAuthority } from '../../src/tls/development-authority.ts';
import { freePort } from '../support/free-port.ts';
import { LineProcess } from '../support/line-process.ts';
import { TestClient } from '../support/test-client.ts';
import type { PeerKind, PeerPlace } from './peer-kind.ts';

/** What a server has before it is started, so that others can be told of it. */
export type PeerGround = Pick<PeerPlace, 'directory' | 'domain' | 'ports' | 'certificate'> & {
  /** The authority of its certificate. */
  readonly authorityFile: string;
};

/** A directory, ports and a certificate for the server of a domain. */
export async function peerGround(domain: string): Promise<PeerGround> {
  const directory = await mkdtemp(join(tmpdir(), 'ampere-peer-'));
  const authority = new DevelopmentAuthority(join(directory, 'tls'), Date.now());
  const certificate = (await authority.certificates([domain])).get(domain);
  if (!certificate) throw new Error(`no certificate for ${domain}`);
  const ports = { c2s: await freePort(), s2s: await freePort() };
  return { directory, domain, ports, certificate, authorityFile: authority.certificateFile };
}

/** Another server in processes of its own. */
export class PeerServer {
  readonly domain: string;
  readonly #kind: PeerKind;
  readonly #core: PeerGround;
  #programs: Awaited<ReturnType<PeerKind['programs']>> = [];
  #processes: LineProcess[] = [];

  private constructor(kind: PeerKind, core: PeerGround) {
    this.#kind = kind;
    this.#core = core;
    this.domain = core.domain;
  }

  /** Starts its programs one after another. */
  static async start(kind: PeerKind, core: PeerGround, given: Omit<PeerPlace, keyof PeerGround>): Promise<PeerServer> {
    const server = new PeerServer(kind, core);
    try {
      server.#programs = await kind.programs({ ...core, ...given });
      await server.#startPrograms();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async #startPrograms(): Promise<void> {
    for (const { command, environment, ready } of this.#programs) {
      const [file, ...args] = command;
      const process = new LineProcess(this.#kind.name, file, args, environment);
      this.#processes.push(process);
      const isReady = () => ready.every((words) => process.lines.some((line) => words.test(line)));
      await process.waitFor('ready line', () => isReady() || undefined);
    }
  }

  /** Crashes, and starts again with its data. */
  async restarts(): Promise<void> {
    await this.#kill();
    this.#processes = [];
    await this.#startPrograms();
  }

  /** Waits until one of its programs says something. */
  says(words: RegExp): Promise<string> {
    const line = ({ lines, complaints }: LineProcess) => [...lines, ...complaints].find((one) => words.test(one));
    return Promise.any(this.#processes.map((process) => process.waitFor(`line ${words}`, () => line(process))));
  }

  /** Where it keeps its data. */
  get dataDirectory(): string {
    return join(this.#core.directory, 'data');
  }

  /** What its programs said last, for the report of a failed test. */
  get said(): string {
    return this.#processes.map((process) => process.said).join('\n');
  }

  /** A client of a new account (XEP-0077). */
  async arrives(name: string): Promise<TestClient> {
    const stranger = await this.connects();
    const query = `<query xmlns="jabber:iq:register"><username>${name}</username><password>pw</password></query>`;
    await stranger.gets(`<iq type="set" to="${this.domain}">${query}</iq>`, '<iq type="result" id="*">...</iq>');
    const client = await this.connects();
    await stranger.closes();
    await this.logsIn(client, name);
    return client;
  }

  /**
   * A client that has not logged in yet. Whoever comes after somebody else must be connected before that one leaves: jabberd2
   * calls a session by its descriptor, and takes what it hears late of one that has ended for the next one with the same number.
   */
  async connects(): Promise<TestClient> {
    const { ports, authorityFile } = this.#core;
    const client = await TestClient.connect({ host: '127.0.0.1', port: ports.c2s }, this.domain);
    await client.opens();
    await client.startsTls({ ca: await readFile(authorityFile) });
    await client.opens();
    return client;
  }

  /** The client is somebody's whose account is there, and available. */
  async logsIn(client: TestClient, username: string): Promise<void> {
    await client.authenticates({ username, password: 'pw', mechanism: 'PLAIN' });
    await client.binds('r');
    await client.asks('<iq type="get"><query xmlns="jabber:iq:roster"/></iq>');
    client.sends('<presence/>');
  }

  /** Ends its programs, whose data nobody needs any more: jabberd2 does not always end when it is asked to. */
  async stop(): Promise<void> {
    await this.#kill();
    await rm(this.#core.directory, { recursive: true, force: true });
  }

  async #kill(): Promise<void> {
    for (const process of this.#processes) {
      process.kill('SIGKILL');
      await process.end();
    }
  }
}
