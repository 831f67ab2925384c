import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { type Tree, TreeReader } from './xml-tree.ts';

/** How long a client waits for one thing before the test has failed. */
export const deadlineMs = 60_000;

/** Where to connect, and with what TLS from the first byte, if any. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  /** Where the connection comes from, if that matters. */
  readonly localAddress?: string;
  readonly tls?: ConnectionOptions;
}

/** What a connection brings, in order. */
export type Arrival =
  | { readonly kind: 'header'; readonly tree: Tree }
  | { readonly kind: 'element'; readonly tree: Tree }
  | { readonly kind: 'end' }
  | { readonly kind: 'closed' };

/** A client's socket, with the server's stream read into trees. */
export class TestConnection {
  #socket: Socket;
  /** What TCP knows of it, below TLS. */
  readonly #transport: Socket;
  #reader: TreeReader;
  readonly #arrivals: Arrival[] = [];
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  /** What takes elements before the queue does; true keeps them out of it. */
  intercept: ((tree: Tree) => boolean) | undefined;
  /** The last that came, for the report of a failed test. */
  #transcript = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#transport = socket;
    this.#reader = this.#newReader();
    this.#listen(socket);
  }

  /** Connects; with TLS resolves after the handshake. */
  static async open(target: ConnectionTarget): Promise<TestConnection> {
    const { tls, ...address } = target;
    const socket = tls ? connectTls({ ...address, ...tls }) : connectTcp(address);
    const connection = new TestConnection(socket);
    await connection.#settled(socket, tls ? 'secureConnect' : 'connect');
    socket.setNoDelay(true);
    return connection;
  }

  /** A connection that somebody else has opened. */
  static accepted(socket: Socket): TestConnection {
    return new TestConnection(socket);
  }

  /** The TLS layer, if there is one. */
  get tls(): TLSSocket | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket : undefined;
  }

  write(bytes: string | Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes);
  }

  /** Reads what comes from now on as a new stream. */
  restart(): void {
    this.#reader = this.#newReader();
  }

  /** Puts TLS on the connection; resolves after the handshake. */
  async startTls(options: ConnectionOptions): Promise<void> {
    const secure = this.#cover((plain) => connectTls({ ...options, socket: plain }));
    await this.#settled(secure, 'secureConnect');
  }

  /** The same as the server of TLS. */
  async answerTls(options: TLSSocketOptions): Promise<void> {
    const secure = this.#cover((plain) => new TLSSocket(plain, { ...options, isServer: true }));
    await this.#settled(secure, 'secure');
  }

  #cover(lay: (plain: Socket) => TLSSocket): TLSSocket {
    const plain = this.#socket;
    plain.removeAllListeners('data');
    plain.removeAllListeners('close');
    const secure = lay(plain);
    this.#socket = secure;
    this.#listen(secure);
    this.restart();
    return secure;
  }

  /** The next arrival; rejects at the deadline. */
  async next(what: string): Promise<Arrival> {
    return this.#arrivals.shift() ?? (await this.#wait(what));
  }

  /** Drops the connection without a word. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Drops the connection as a crash would, with RST; not if TLS came first. */
  reset(): void {
    this.#transport.resetAndDestroy();
  }

  /** Stops taking what the server sends. */
  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  async #wait(what: string): Promise<Arrival> {
    if (this.#failure) throw this.#failure;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`${what} did not come within ${deadlineMs} ms`)), deadlineMs);
    this.#wake = resolve;
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#wake = undefined;
    }
    const arrival = this.#arrivals.shift();
    if (arrival) return arrival;
    throw this.#failure ?? new Error(`waiting for ${what} was interrupted`);
  }

  #arrived(arrival: Arrival): void {
    // What comes behind bad XML must not hide it.
    if (!this.#failure) this.#arrivals.push(arrival);
    this.#wake?.();
  }

  #newReader(): TreeReader {
    return new TreeReader({
      header: (tree) => this.#arrived({ kind: 'header', tree }),
      element: (tree) => {
        if (!this.intercept?.(tree)) this.#arrived({ kind: 'element', tree });
      },
      end: () => this.#arrived({ kind: 'end' }),
    });
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#arrived({ kind: 'closed' }));
  }

  #read(chunk: Buffer): void {
    this.#transcript = (this.#transcript + chunk.toString()).slice(-2000);
    try {
      this.#reader.write(chunk);
    } catch (error) {
      this.#failure = new Error(`the server sent bad XML: ${String(error)}\n${this.#transcript}`);
      this.#wake?.();
    }
  }

  #settled(socket: Socket, event: 'connect' | 'secureConnect' | 'secure'): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`no '${event}' within ${deadlineMs} ms`)), deadlineMs);
    socket.once(event, () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`closed before '${event}'`)));
    return promise.finally(() => clearTimeout(timer));
  }
}
