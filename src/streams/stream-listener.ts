import type { AddressInfo } from 'node:net';
import { StreamError } from '../protocol/stream-error.ts';
import { type Clock, type Timer, within } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import type { Acceptor, AcceptorAddress, IncomingConnection } from './acceptor.ts';
import type { ConnectionLimiter } from './connection-limiter.ts';
import type { Framing } from './framing.ts';
import type { ConnectionUser, StreamConnection } from './stream-connection.ts';

/** One address to listen on. */
export interface ListenAddress extends AcceptorAddress {
  /** Whether the server may start without it. */
  readonly optional: boolean;
}

/** A stream that a peer has opened. */
export interface AcceptedStream<C extends StreamConnection = StreamConnection> extends ConnectionUser {
  /** Attaches the connection. With direct TLS (XEP-0368) the handshake comes first. */
  open(connection: C, start: TlsStart): void;
  /** Checks the deadlines; called about once a second. */
  tick(nowMs: number): void;
  /** Stops reading; resolves when the peer's stanzas are acknowledged. */
  finish(): Promise<void>;
  close(error: StreamError): void;
  /** Ends the connection without an error. */
  abandon(): void;
}

/** Dependencies of the listener. */
interface StreamListenerDeps<C extends StreamConnection> {
  /** Makes a stream, which calls `authenticated` when its peer has authenticated. `framing` is absent for the usual one. */
  readonly newStream: (authenticated: () => void, framing: Framing | undefined) => AcceptedStream<C>;
  readonly acceptor: Acceptor<C>;
  /** Shared with other listeners. */
  readonly limiter: ConnectionLimiter;
  readonly clock: Clock;
  readonly log: Log;
}

const tickMs = 1000;

/** Accepts connections, limits their number, and checks the deadlines of their streams. */
export class StreamListener<C extends StreamConnection = StreamConnection> {
  readonly #deps: StreamListenerDeps<C>;
  readonly #streams = new Set<AcceptedStream<C>>();
  /** The streams of unauthenticated peers. */
  readonly #unauthenticated = new Set<AcceptedStream<C>>();
  #timer: Timer;
  #stopped: (() => void) | undefined;

  constructor(deps: StreamListenerDeps<C>) {
    this.#deps = deps;
    this.#timer = deps.clock.after(tickMs, () => this.#tick());
  }

  /** Opens a port and returns its address. Returns undefined if an optional address is not available. */
  async listen(address: ListenAddress, start: TlsStart): Promise<AddressInfo | undefined> {
    try {
      return await this.#deps.acceptor.open(address, start, (arrival) => this.take(arrival, start));
    } catch (error) {
      if (!address.optional) throw error;
      this.#deps.log.warn({ err: error, ...address }, 'cannot listen on this address');
      return undefined;
    }
  }

  /** Closes a port. The streams that came through it stay. */
  closePort(address: AddressInfo): void {
    this.#deps.acceptor.closePort(address);
  }

  /** Number of connections. */
  get connections(): number {
    return this.#streams.size;
  }

  /** Number of connections whose peers have not authenticated. */
  get unauthenticated(): number {
    return this.#unauthenticated.size;
  }

  /** Stops accepting, closes all streams, and waits until the connections are gone or `drainMs` has passed (RFC 6120 §4.9.3.20). */
  async stop(drainMs: number): Promise<void> {
    const { acceptor, clock } = this.#deps;
    acceptor.close();
    const endAtMs = clock.monotonicMs() + drainMs;
    // The other half is for the peers to read the end of the stream.
    await within(clock, drainMs / 2, Promise.all([...this.#streams].map((stream) => stream.finish())));
    for (const stream of [...this.#streams]) stream.close(StreamError.systemShutdown());
    if (this.#streams.size > 0) await this.#drained(endAtMs - clock.monotonicMs());
    this.#timer.cancel();
    await acceptor.end();
  }

  #drained(drainMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#deps.clock.after(drainMs, () => {
        for (const stream of [...this.#streams]) stream.abandon();
        resolve();
      });
      this.#stopped = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Takes a connection, or refuses it. Connections of the acceptor come here, too. */
  take(arrival: IncomingConnection<C>, start: TlsStart): void {
    const { remoteAddress: address, framing } = arrival;
    if (!this.#deps.limiter.admit(address, this.#unauthenticated.size)) return arrival.refuse();
    const stream = this.#deps.newStream(() => this.#unauthenticated.delete(stream), framing);
    this.#streams.add(stream);
    this.#unauthenticated.add(stream);
    const tap = new ConnectionTap(stream, address, this.#left);
    stream.open(arrival.admit(tap), start);
  }

  readonly #left = (stream: AcceptedStream<C>, address: string): void => {
    this.#deps.limiter.release(address);
    this.#streams.delete(stream);
    this.#unauthenticated.delete(stream);
    stream.disconnected();
    if (this.#streams.size === 0) this.#stopped?.();
  };

  #tick(): void {
    // First, so that ticks continue even if one stream throws.
    this.#timer = this.#deps.clock.after(tickMs, () => this.#tick());
    const nowMs = this.#deps.clock.monotonicMs();
    for (const stream of this.#streams) stream.tick(nowMs);
    this.#deps.limiter.look();
  }
}

/** Passes connection events to the stream, and tells the listener about the end. */
class ConnectionTap<C extends StreamConnection> implements ConnectionUser {
  readonly #stream: AcceptedStream<C>;
  readonly #address: string;
  readonly #left: (stream: AcceptedStream<C>, address: string) => void;

  constructor(stream: AcceptedStream<C>, address: string, left: (stream: AcceptedStream<C>, address: string) => void) {
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
