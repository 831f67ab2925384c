import type { AddressInfo } from 'node:net';
import type { IncomingConnection } from '../streams/acceptor.ts';
import type { Connection, ConnectionDeps } from '../streams/connection.ts';
import { SocketAcceptor } from '../streams/socket-acceptor.ts';
import { flushAtTurnEnd } from '../streams/turn-end.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { contextsOf } from '../tls/pem-contexts.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import { type ContextSource, servingTls } from '../tls/tls-options.ts';
import type { ConnectionSettings, EdgeOptions, EdgeRequest } from './edge-options.ts';
import { HeldConnection } from './held-connection.ts';
import { decode, encode, toCore, toEdge } from './records.ts';
import { ThreadLink } from './thread-link.ts';

interface PendingConnection {
  readonly arrival: IncomingConnection<Connection>;
  readonly start: TlsStart;
}

const tickMs = 1000;

/** The program of an edge: holds connections, and carries out the commands of the core. */
export class EdgeProgram {
  readonly #link: ThreadLink;
  readonly #acceptor: SocketAcceptor;
  readonly #clock: Clock;
  /** Connections that the core has not admitted yet. */
  readonly #arrivals = new Map<number, PendingConnection>();
  readonly #held = new Map<number, HeldConnection>();
  /** Connections with output in this turn. */
  readonly #written = new Set<HeldConnection>();
  #settings: ConnectionSettings;
  #contexts: ContextSource;
  #lastId = 0;

  constructor(options: EdgeOptions, clock: Clock, log: Pick<Log, 'error'>) {
    const { memory, backlog, reusePort } = options;
    this.#settings = options;
    this.#contexts = contextsOf(options.certificates);
    this.#clock = clock;
    this.#acceptor = new SocketAcceptor({ connection: this.#connectionDeps(), backlog, reusePort, log });
    this.#link = new ThreadLink(memory, 'edge', {
      took: (kind, id, payload) => this.#took(kind, id, payload),
      relieved: () => {
        for (const held of this.#held.values()) held.goOn();
      },
    });
    clock.after(tickMs, () => this.#tick());
  }

  /** Carries out a request of the core. Returns the address after a request to listen. */
  async answer(request: EdgeRequest): Promise<AddressInfo | undefined> {
    switch (request.kind) {
      case 'open':
        return this.#acceptor.open(request, request.start, (arrival) => this.#arrived(arrival, request));
      case 'closePort':
        this.#acceptor.closePort(request.address);
        return undefined;
      case 'close':
        this.#acceptor.close();
        return undefined;
      case 'renew':
        this.#settings = request.settings;
        this.#contexts = contextsOf(request.settings.certificates);
        return undefined;
    }
  }

  /** What each new connection reads. */
  #connectionDeps(): ConnectionDeps {
    const settings = () => this.#settings;
    return {
      get rate() {
        return settings().rate;
      },
      get limits() {
        return settings().limits;
      },
      layTls: (plain, start, host) => servingTls(this.#contexts)(plain, start, host),
      clock: this.#clock,
    };
  }

  /** Reports the connections whose output of this turn did not leave at once. */
  flush(): void {
    for (const held of this.#written) held.tellIfMuchWaits();
    this.#written.clear();
  }

  #arrived(
    arrival: IncomingConnection<Connection>,
    { acceptor, start }: { readonly acceptor: number; readonly start: TlsStart },
  ): void {
    const id = this.#newId();
    this.#arrivals.set(id, { arrival, start });
    this.#link.put(toCore.arrived, id, encode('arrived', { acceptor, remoteAddress: arrival.remoteAddress }));
  }

  /** Connection numbers wrap after 2^32 connections. */
  #newId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0;
    while (this.#held.has(this.#lastId) || this.#arrivals.has(this.#lastId));
    return this.#lastId;
  }

  #took(kind: number, id: number, payload: Buffer): void {
    const held = this.#held.get(id);
    if (!held) return this.#settle(kind, id);
    switch (kind) {
      case toEdge.bytes:
        // Later, because the connections must be flushed first.
        if (this.#written.size === 0) queueMicrotask(() => flushAtTurnEnd(this));
        this.#written.add(held);
        return held.write(payload);
      case toEdge.startTls:
        return held.startTls(decode('startTls', payload));
      case toEdge.pause:
        return held.pause(decode('pause', payload));
      case toEdge.resume:
        return held.resume(decode('pause', payload));
      case toEdge.readRate:
        return held.limitReading(decode('readRate', payload));
      case toEdge.awaitFlush:
        return held.tellFlushed();
      case toEdge.end:
        return held.end();
      case toEdge.destroy:
        return held.destroy();
    }
  }

  #settle(kind: number, id: number): void {
    const waiting = this.#arrivals.get(id);
    if (!waiting) return;
    this.#arrivals.delete(id);
    if (kind === toEdge.admit) this.#admit(id, waiting);
    else waiting.arrival.refuse();
  }

  #admit(id: number, { arrival, start }: PendingConnection): void {
    const held = new HeldConnection(id, this.#link, () => this.#held.delete(id));
    this.#held.set(id, held);
    held.open(arrival.admit(held));
    if (start === 'direct') held.startTls({ start });
  }

  #tick(): void {
    // First, so that ticks continue even if one connection throws.
    this.#clock.after(tickMs, () => this.#tick());
    const nowMs = this.#clock.monotonicMs();
    for (const held of this.#held.values()) held.tick(nowMs);
  }
}
