import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { StreamError } from '../protocol/stream-error.ts';
import type { Clock, Timer } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { ConnectionUser, PeerConnection, TlsStart } from './client-connection.ts';
import { Connection, type ConnectionParts } from './connection.ts';
import type { Doorkeeper } from './doorkeeper.ts';

/** One address to listen on. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Whether the server may start without it. */
  readonly optional: boolean;
}

/** A stream that somebody else has opened. */
export interface AcceptedStream extends ConnectionUser {
  /** Gives the stream its connection; with direct TLS (XEP-0368) the handshake comes first. */
  open(connection: PeerConnection, start: TlsStart): void;
  /** Keeps every deadline of the stream; called about once a second. */
  tick(nowMs: number): void;
  /** Takes nothing more; resolves when the peer knows how far what it has sent is dealt with. */
  finish(): Promise<void>;
  close(error: StreamError): void;
  /** Ends the connection without a word. */
  abandon(): void;
}

/** What the listener needs from the rest of the house. */
export interface StreamListenerParts {
  /** Makes a stream, which says when its peer has proved who it is. */
  readonly newStream: (authenticated: () => void) => AcceptedStream;
  readonly connection: ConnectionParts;
  /** Shared with other listeners. */
  readonly door: Doorkeeper;
  readonly clock: Clock;
  readonly log: Log;
}

const tickMs = 1000;

/** Accepts connections, bounds their number, and keeps the time of their streams. */
export class StreamListener {
  readonly #parts: StreamListenerParts;
  readonly #servers: Server[] = [];
  readonly #streams = new Set<AcceptedStream>();
  /** Those of the streams whose peers have not authenticated. */
  readonly #strangers = new Set<AcceptedStream>();
  #timer: Timer;
  #stopped: (() => void) | undefined;

  constructor(parts: StreamListenerParts) {
    this.#parts = parts;
    this.#timer = parts.clock.after(tickMs, () => this.#tick());
  }

  /** Opens a port; returns where it listens, or nothing if it may be done without and could not be had. */
  async listen(address: ListenAddress, start: TlsStart): Promise<AddressInfo | undefined> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket, start));
    try {
      server.listen({ host: address.host, port: address.port, backlog: this.#parts.door.backlog });
      await once(server, 'listening');
    } catch (error) {
      if (!address.optional) throw error;
      this.#parts.log.warn({ err: error, ...address }, 'not listening there');
      return undefined;
    }
    server.on('error', (error) => this.#parts.log.error({ err: error }, 'listener failed'));
    this.#servers.push(server);
    return server.address() as AddressInfo;
  }

  /** Number of connections. */
  get connections(): number {
    return this.#streams.size;
  }

  /** Stops accepting, tells every peer, and waits until they are gone or `drainMs` has passed (RFC 6120 §4.9.3.20). */
  async stop(drainMs: number): Promise<void> {
    for (const server of this.#servers) server.close();
    await this.#within(drainMs, Promise.all([...this.#streams].map((stream) => stream.finish())));
    for (const stream of [...this.#streams]) stream.close(StreamError.systemShutdown());
    if (this.#streams.size > 0) await this.#drained(drainMs);
    this.#timer.cancel();
  }

  #within(ms: number, work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(ms, resolve);
      void work.finally(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #drained(drainMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(drainMs, () => {
        for (const stream of [...this.#streams]) stream.abandon();
        resolve();
      });
      this.#stopped = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  #accept(socket: Socket, start: TlsStart): void {
    const address = socket.remoteAddress;
    const { door } = this.#parts;
    // A peer that is gone already has no address.
    if (address === undefined || !door.admit(address, this.#strangers.size)) return void socket.destroy();
    const stream = this.#parts.newStream(() => this.#strangers.delete(stream));
    this.#streams.add(stream);
    this.#strangers.add(stream);
    const guest = new Guest(stream, address, this.#left);
    stream.open(new Connection(socket, guest, this.#parts.connection), start);
  }

  readonly #left = (stream: AcceptedStream, address: string): void => {
    this.#parts.door.release(address);
    this.#streams.delete(stream);
    this.#strangers.delete(stream);
    stream.disconnected();
    if (this.#streams.size === 0) this.#stopped?.();
  };

  #tick(): void {
    // First, so that time goes on whatever happens to one stream.
    this.#timer = this.#parts.clock.after(tickMs, () => this.#tick());
    const nowMs = this.#parts.clock.monotonicMs();
    for (const stream of this.#streams) stream.tick(nowMs);
    this.#parts.door.look();
  }
}

/** Whom a connection tells: its stream, and at the end the listener. */
class Guest implements ConnectionUser {
  readonly #stream: AcceptedStream;
  readonly #address: string;
  readonly #left: (stream: AcceptedStream, address: string) => void;

  constructor(stream: AcceptedStream, address: string, left: (stream: AcceptedStream, address: string) => void) {
    this.#stream = stream;
    this.#address = address;
    this.#left = left;
  }

  received(chunk: Buffer): void {
    this.#stream.received(chunk);
  }

  secured(): void {
    this.#stream.secured();
  }

  disconnected(): void {
    this.#left(this.#stream, this.#address);
  }
}
