import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { IncomingConnection } from '../streams/acceptor.ts';
import type { StreamConnection } from '../streams/stream-connection.ts';
import type { Log } from '../support/log.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import { EdgeConnection, type EdgePeer } from './edge-connection.ts';
import type { ConnectionSettings, EdgeOptions, EdgeReport, EdgeRequest } from './edge-options.ts';
import { decode, toCore, toEdge } from './records.ts';
import { linkMemory, ThreadLink } from './thread-link.ts';

interface OpenAcceptor {
  readonly start: TlsStart;
  readonly arrived: (arrival: IncomingConnection) => void;
}

/** The core's side of one edge. */
export class Edge {
  #settings: ConnectionSettings;
  readonly #log: Pick<Log, 'error'>;
  readonly #worker: Worker;
  readonly #link: ThreadLink;
  readonly #acceptors: OpenAcceptor[] = [];
  readonly #connections = new Map<number, EdgeConnection>();
  /** Resolves the last request. */
  #answered: Promise<unknown> = Promise.resolve();
  #answer: (report: EdgeReport) => void = () => {};

  constructor(options: Omit<EdgeOptions, 'memory'>, log: Pick<Log, 'error'>) {
    const memory = linkMemory();
    this.#settings = options;
    this.#log = log;
    const thread = new URL(`./edge-thread${extname(import.meta.url)}`, import.meta.url);
    // Without a listener, an 'error' event ends the server. This is intended: an edge that dies loses its connections.
    this.#worker = new Worker(thread, { workerData: { ...options, memory } satisfies EdgeOptions });
    this.#worker.on('message', (report: EdgeReport) => this.#reported(report));
    this.#link = new ThreadLink(memory, 'core', {
      took: (kind, id, payload) => this.#took(kind, id, payload),
      relieved: () => {},
    });
  }

  /** Opens a port and gives its address; rejects if it is not available. */
  async open(
    { host, port }: { readonly host: string; readonly port: number },
    start: TlsStart,
    arrived: (arrival: IncomingConnection) => void,
  ): Promise<AddressInfo> {
    const acceptor = this.#acceptors.push({ start, arrived }) - 1;
    const address = await this.#ask({ kind: 'open', acceptor, host, port, start });
    if (!address) throw new Error('an edge did not report its address');
    return address;
  }

  closePort(address: AddressInfo): void {
    void this.#ask({ kind: 'closePort', address });
  }

  /** Stops accepting connections. */
  close(): void {
    void this.#ask({ kind: 'close' });
  }

  /** Uses these settings for new connections. */
  async renew(settings: ConnectionSettings): Promise<void> {
    this.#settings = settings;
    await this.#ask({ kind: 'renew', settings });
  }

  /** Ends the thread, and with it all remaining connections. */
  async end(): Promise<void> {
    this.#link.close();
    await this.#worker.terminate();
  }

  #ask(request: EdgeRequest): Promise<AddressInfo | undefined> {
    const asked = this.#answered.then(() => this.#askNow(request));
    this.#answered = asked.catch(() => {});
    return asked;
  }

  #askNow(request: EdgeRequest): Promise<AddressInfo | undefined> {
    return new Promise((resolve, reject) => {
      this.#answer = (report) => {
        if (report.kind === 'done') resolve(report.address);
        else reject(Object.assign(new Error(report.message), report.code === undefined ? {} : { code: report.code }));
      };
      this.#worker.postMessage(request);
    });
  }

  #reported(report: EdgeReport): void {
    if (report.kind === 'wrong') this.#log.error({ code: report.code, reason: report.message }, 'listener failed');
    else this.#answer(report);
  }

  #took(kind: number, id: number, payload: Buffer): void {
    if (kind === toCore.arrived) this.#arrived(id, payload);
    else this.#connections.get(id)?.take(kind, payload);
  }

  #arrived(id: number, payload: Buffer): void {
    const { acceptor, remoteAddress } = decode('arrived', payload);
    const open = this.#acceptors[acceptor];
    if (!open) throw new Error(`an edge has no acceptor ${acceptor}`);
    const peer: EdgePeer = { id, remoteAddress, start: open.start };
    open.arrived({
      remoteAddress,
      admit: (user): StreamConnection => {
        const { limits } = this.#settings;
        const forget = (gone: number) => this.#connections.delete(gone);
        const connection = new EdgeConnection(peer, user, { link: this.#link, limits, forget });
        this.#connections.set(id, connection);
        return connection;
      },
      refuse: () => void this.#link.put(toEdge.destroy, id),
    });
  }
}
