import type { AddressInfo } from 'node:net';
import { StreamError } from '../protocol/stream-error.ts';
import { type Clock, type Timer, within } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { Doorkeeper } from './doorkeeper.ts';
import type { Arrival, Gate } from './gate.ts';
import type { ConnectionUser, StreamConnection, TlsStart } from './stream-connection.ts';

/** One address to listen on. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Whether the server may start without it. */
  readonly optional: boolean;
}

/** A stream that somebody else has opened. */
export interface AcceptedStream<C extends StreamConnection = StreamConnection> extends ConnectionUser {
  /** Gives the stream its connection; with direct TLS (XEP-0368) the handshake comes first. */
  open(connection: C, start: TlsStart): void;
  /** Keeps every deadline of the stream; called about once a second. */
  tick(nowMs: number): void;
  /** Takes nothing more; resolves when the peer knows how far what it has sent is dealt with. */
  finish(): Promise<void>;
  close(error: StreamError): void;
  /** Ends the connection without a word. */
  abandon(): void;
}

/** What the listener needs from the rest of the house. */
export interface StreamListenerParts<C extends StreamConnection> {
  /** Makes a stream, which says when its peer has proved who it is. */
  readonly newStream: (authenticated: () => void) => AcceptedStream<C>;
  readonly gate: Gate<C>;
  /** Shared with other listeners. */
  readonly door: Doorkeeper;
  readonly clock: Clock;
  readonly log: Log;
}

const tickMs = 1000;

/** Accepts connections, bounds their number, and keeps the time of their streams. */
export class StreamListener<C extends StreamConnection = StreamConnection> {
  readonly #parts: StreamListenerParts<C>;
  readonly #streams = new Set<AcceptedStream<C>>();
  /** Those of the streams whose peers have not authenticated. */
  readonly #strangers = new Set<AcceptedStream<C>>();
  #timer: Timer;
  #stopped: (() => void) | undefined;

  constructor(parts: StreamListenerParts<C>) {
    this.#parts = parts;
    this.#timer = parts.clock.after(tickMs, () => this.#tick());
  }

  /** Opens a port; returns where it listens, or nothing if it may be done without and could not be had. */
  async listen(address: ListenAddress, start: TlsStart): Promise<AddressInfo | undefined> {
    try {
      return await this.#parts.gate.open(address, start, (arrival) => this.#accept(arrival, start));
    } catch (error) {
      if (!address.optional) throw error;
      this.#parts.log.warn({ err: error, ...address }, 'not listening there');
      return undefined;
    }
  }

  /** Number of connections. */
  get connections(): number {
    return this.#streams.size;
  }

  /** Stops accepting, tells every peer, and waits until they are gone or `drainMs` has passed (RFC 6120 §4.9.3.20). */
  async stop(drainMs: number): Promise<void> {
    const { gate, clock } = this.#parts;
    gate.close();
    const endAtMs = clock.monotonicMs() + drainMs;
    // The other half is for hearing of it.
    await within(clock, drainMs / 2, Promise.all([...this.#streams].map((stream) => stream.finish())));
    for (const stream of [...this.#streams]) stream.close(StreamError.systemShutdown());
    if (this.#streams.size > 0) await this.#drained(endAtMs - clock.monotonicMs());
    this.#timer.cancel();
    await gate.end();
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

  #accept(arrival: Arrival<C>, start: TlsStart): void {
    const { remoteAddress: address } = arrival;
    if (!this.#parts.door.admit(address, this.#strangers.size)) return arrival.turnAway();
    const stream = this.#parts.newStream(() => this.#strangers.delete(stream));
    this.#streams.add(stream);
    this.#strangers.add(stream);
    const guest = new Guest(stream, address, this.#left);
    stream.open(arrival.admit(guest), start);
  }

  readonly #left = (stream: AcceptedStream<C>, address: string): void => {
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
class Guest<C extends StreamConnection> implements ConnectionUser {
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
