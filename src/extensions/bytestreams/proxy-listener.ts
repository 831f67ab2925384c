import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ExtensionListener } from '../../routing/extension-listener.ts';
import type { ConnectionLimiter } from '../../streams/connection-limiter.ts';
import { openPort } from '../../streams/open-port.ts';
import type { ListenAddress } from '../../streams/stream-listener.ts';
import { type Clock, within } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { Shares } from '../../support/shares.ts';
import { type RelayLimits, relay } from './relay.ts';
import { Socks5Handshake } from './socks5.ts';

/** Limits of the proxy. */
export interface ProxyLimits extends RelayLimits {
  /** Transfers at the same time. */
  readonly transfers: number;
  /** Transfers at the same time that one account has started. */
  readonly transfersPerAccount: number;
  /** From the connection of a client to the start of its transfer. */
  readonly negotiationMs: number;
}

/** Dependencies of the listener. */
interface ProxyListenerDeps {
  readonly limits: ProxyLimits;
  /** Shared with other listeners. */
  readonly limiter: Pick<ConnectionLimiter, 'admit' | 'release' | 'backlog'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Why a transfer did not start. `unknown`: nobody has connected for it. `incomplete`: one side has not connected. `busy`: too many run. */
export type StartRefusal = 'unknown' | 'incomplete' | 'busy';

/**
 * The SOCKS5 side of the proxy (XEP-0065 §6.3). Two clients connect and ask for the same key. Both wait, and nothing is read from them,
 * until {@link start} joins them.
 */
export class ProxyListener implements ExtensionListener {
  readonly serves = 'bytestreams';
  readonly #deps: ProxyListenerDeps;
  readonly #shares: Shares;
  readonly #servers: Server[] = [];
  /** The connections without a transfer. */
  readonly #negotiating = new Set<Socket>();
  /** The connections that wait for a transfer, by key. */
  readonly #waiting = new Map<string, Socket[]>();
  readonly #transfers = new Set<Promise<void>>();
  readonly #moving = new Set<Socket>();
  #address: AddressInfo | undefined;

  constructor(deps: ProxyListenerDeps) {
    const { transfers, transfersPerAccount } = deps.limits;
    this.#deps = deps;
    this.#shares = new Shares(() => ({ total: transfers, each: transfersPerAccount }));
  }

  /** The first open port. */
  get port(): number | undefined {
    return this.#address?.port;
  }

  /** Transfers that are running. */
  get transfers(): number {
    return this.#transfers.size;
  }

  async listen(address: ListenAddress): Promise<AddressInfo | undefined> {
    const { limiter, log } = this.#deps;
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
    const opened = await openPort(server, address, { backlog: limiter.backlog, log });
    if (opened) this.#servers.push(server);
    this.#address ??= opened;
    return opened;
  }

  /** Joins the two connections that wait for a key. The account is the one that asks. */
  start(key: string, account: string): StartRefusal | undefined {
    const [one, other] = this.#waiting.get(key) ?? [];
    if (!one) return 'unknown';
    if (!other) return 'incomplete';
    const release = this.#shares.take(account);
    if (!release) return 'busy';
    this.#waiting.delete(key);
    const both = [one, other];
    for (const socket of both) {
      this.#negotiating.delete(socket);
      this.#moving.add(socket);
    }
    const transfer = relay(one, other, this.#deps.limits, this.#deps.clock).then(() => {
      release();
      for (const socket of both) this.#moving.delete(socket);
      this.#transfers.delete(transfer);
    });
    this.#transfers.add(transfer);
    return undefined;
  }

  async stop(drainMs: number): Promise<void> {
    const closed = this.#servers.map((server) => once(server, 'close'));
    for (const server of this.#servers) server.close();
    for (const socket of this.#negotiating) socket.destroy();
    await within(this.#deps.clock, drainMs, Promise.all(this.#transfers));
    for (const socket of this.#moving) socket.destroy();
    await Promise.all(closed);
  }

  #accept(socket: Socket): void {
    const { limiter, limits, clock } = this.#deps;
    const { remoteAddress } = socket;
    // A peer that already disconnected has no address.
    if (remoteAddress === undefined || !limiter.admit(remoteAddress, this.#negotiating.size)) {
      return void socket.destroy();
    }
    this.#negotiating.add(socket);
    const deadline = clock.after(limits.negotiationMs, () => {
      if (this.#negotiating.has(socket)) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      deadline.cancel();
      limiter.release(remoteAddress);
      this.#negotiating.delete(socket);
    });
    this.#negotiate(socket);
  }

  #negotiate(socket: Socket): void {
    const handshake = new Socks5Handshake();
    const received = (chunk: Buffer) => {
      handshake.receive(chunk);
      for (let step = handshake.next(); step.kind !== 'more'; step = handshake.next()) {
        if (step.kind === 'reply') socket.write(step.reply);
        else if (step.kind === 'failed') return refuse(socket, step.reply);
        else {
          socket.off('data', received);
          socket.pause();
          if (step.rest.length > 0) socket.unshift(step.rest);
          return this.#wait(socket, step.key, handshake);
        }
      }
    };
    socket.on('data', received);
    socket.once('end', () => {
      if (this.#negotiating.has(socket)) socket.destroy();
    });
  }

  /** A third connection for a key would take the place of one of the two. */
  #wait(socket: Socket, key: string, handshake: Socks5Handshake): void {
    const waiting = this.#waiting.get(key) ?? [];
    if (waiting.length === 2) return refuse(socket, handshake.refused);
    this.#waiting.set(key, [...waiting, socket]);
    socket.once('close', () => this.#leave(key, socket));
    socket.write(handshake.accepted);
  }

  /** The connection may have a transfer meanwhile, and others may wait for the key. */
  #leave(key: string, socket: Socket): void {
    const others = this.#waiting.get(key)?.filter((one) => one !== socket) ?? [];
    if (others.length > 0) this.#waiting.set(key, others);
    else this.#waiting.delete(key);
  }
}

function refuse(socket: Socket, reply: Buffer): void {
  socket.end(reply, () => socket.destroy());
}
