import { once } from 'node:events';
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, type BlockList, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { HttpRoute } from '../../routing/http-route.ts';
import type { ConnectionLimiter } from '../../streams/connection-limiter.ts';
import { closePort, openPort } from '../../streams/open-port.ts';
import { awaitProxyHeader, clientAddressOf, noteClientAddress } from '../../streams/proxy-protocol.ts';
import type { ListenAddress } from '../../streams/stream-listener.ts';
import { type Clock, within } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Tally } from '../../support/metric.ts';
import { isIn, networkList } from '../../support/network-list.ts';
import { TurnBudget } from '../../support/turn-budget.ts';
import { type ContextSource, type LayTls, servingTls } from '../../tls/tls-options.ts';
import { answerRequest, requestHead, type ServedSite, upgradeRoute } from './answer-request.ts';
import { pieceBytes } from './request-body.ts';
import { RouteTable } from './route-table.ts';

/** Limits of a connection to the HTTP listener. */
export interface HttpLimits {
  /** Bytes of the header section of a request. */
  readonly headerBytes: number;
  /** From the start of a TLS handshake to its end. */
  readonly tlsHandshakeMs: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersMs: number;
  /** From the end of the headers of a request to the end of its body. */
  readonly requestMs: number;
  /** From an answer to the next request. */
  readonly keepAliveMs: number;
  /** Without a byte in either direction, before the connection ends. */
  readonly stallMs: number;
}

/** What the listener serves, and for whom. */
export interface Site {
  readonly routes: readonly HttpRoute[];
  /** Proxies whose word on the address of a client counts. Their own connections are not limited by address. */
  readonly trustedProxies: BlockList;
  /** The header of answers over TLS that keeps browsers there (RFC 6797 §6.1). */
  readonly strictTransportSecurity?: string | undefined;
  /** Whether the server answers for the host that a request names. */
  readonly servesHost: (request: IncomingMessage) => boolean;
}

/** Dependencies of the HTTP listener. */
export interface HttpListenerDeps {
  readonly site: Site;
  readonly limits: HttpLimits;
  /** Shared with other listeners. */
  readonly limiter: Pick<ConnectionLimiter, 'admit' | 'release' | 'backlog'>;
  readonly certificates: ContextSource;
  /** Takes connections whose clients have agreed on XMPP in the TLS handshake (XEP-0368). Absent if there is only HTTP. */
  readonly takeStream?: (socket: TLSSocket) => void;
  /** Counts the answers. */
  readonly requests: Tally<'route' | 'code'>;
  readonly clock: Clock;
  readonly log: Log;
}

const longestCheckIntervalMs = 5000;
/** Requests of one connection that have no answer yet. A client with BOSH has three, if it pipelines them (XEP-0124 §11). */
const mostUnanswered = 4;
/** One piece of a body: reading it through TLS takes the better part of a millisecond. */
const movedInTurn = { ms: 1, amount: pieceBytes };

/** The public HTTP listener: any number of addresses, with TLS or without, and one table of routes. */
export class HttpListener {
  readonly #deps: HttpListenerDeps;
  #site: ServedSite;
  readonly #layTls: LayTls;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  /** Connections whose proxy has not said for whom they are. */
  readonly #unnamed = new Set<Socket>();
  /** Ends the counting of a connection, by the socket that `node:http` got. */
  readonly #releases = new WeakMap<Duplex, () => void>();
  readonly #running = new Set<Promise<void>>();
  /** How many requests of a connection have no answer yet. */
  readonly #unanswered = new WeakMap<Duplex, number>();
  /** Created with the first address. */
  #http: HttpServer | undefined;
  #stopping = false;

  /** Throws if two routes have the same method and path. */
  constructor(deps: HttpListenerDeps) {
    this.#deps = deps;
    this.#site = withTable(deps.site);
    this.#layTls = servingTls(deps.certificates, deps.takeStream ? 'web' : 'http/1.1');
  }

  /** Prepares another site, and returns the function that serves it from then on. Throws if two routes have the same method and path. */
  prepare(site: Site): () => void {
    const next = withTable(site);
    return () => {
      this.#site = next;
    };
  }

  /** Whether `stop` was called. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Number of connections. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Opens a port. Returns its address, or undefined if the address is optional and not available. */
  async listen(address: ListenAddress, tls: 'direct' | 'none'): Promise<AddressInfo | undefined> {
    const { limiter, log } = this.#deps;
    this.#http ??= this.#makeHttp();
    const proxies = address.proxyProtocol && networkList(address.proxyProtocol);
    const server = createServer({ noDelay: true }, (socket) => this.#arrived(socket, proxies, tls));
    const opened = await openPort(server, address, { backlog: limiter.backlog, log });
    if (opened) this.#servers.push(server);
    return opened;
  }

  /** Closes a port. The connections that came through it stay. */
  closePort(address: AddressInfo): void {
    closePort(this.#servers, address);
  }

  /** Stops accepting connections, closes idle ones, and finishes the running requests within `drainMs`. */
  async stop(drainMs: number): Promise<void> {
    this.#stopping = true;
    const closed = this.#servers.map((server) => once(server, 'close'));
    for (const server of this.#servers) server.close();
    this.#http?.closeIdleConnections();
    await within(this.#deps.clock, drainMs, Promise.all(this.#running));
    this.#http?.close();
    for (const socket of [...this.#unnamed, ...this.#sockets]) socket.destroy();
    await Promise.all(closed);
  }

  #makeHttp(): HttpServer {
    const { requests, clock, log } = this.#deps;
    const { headerBytes, headersMs, requestMs, keepAliveMs, stallMs } = this.#deps.limits;
    // An import would initialize every export, including an HTTP client that takes several megabytes.
    const http = process.getBuiltinModule('node:http').createServer({
      maxHeaderSize: headerBytes,
      headersTimeout: headersMs,
      // Bodies have a deadline of their own, by their routes.
      requestTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: Math.min(longestCheckIntervalMs, headersMs),
      shouldUpgradeCallback: (request) => this.#mayUpgrade(request),
    });
    http.timeout = stallMs;
    const stopping = () => this.#stopping;
    const turns = new TurnBudget(movedInTurn, clock);
    const answers = { requests, requestMs, stopping, turns, clock, log };
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      if (!this.#takeTurn(socket)) return void socket.destroy();
      const running = answerRequest(answers, this.#site, request, response);
      this.#running.add(running);
      void running.then(() => {
        this.#running.delete(running);
        this.#unanswered.set(socket, (this.#unanswered.get(socket) ?? 0) - 1);
      });
    };
    http.on('request', answer);
    // A client that waits before it sends the body.
    http.on('checkContinue', answer);
    http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    // This server does not listen itself, and it checks its deadlines only after this event.
    http.emit('listening');
    return http;
  }

  /** Counts a request. False if its client sends requests without waiting for answers: each would cost memory, and an open file. */
  #takeTurn(socket: Socket): boolean {
    const unanswered = this.#unanswered.get(socket) ?? 0;
    if (socket.destroyed || unanswered >= mostUnanswered) return false;
    this.#unanswered.set(socket, unanswered + 1);
    return true;
  }

  /** Whether a request can take its connection over. An answer to an earlier request could not be sent any more. */
  #mayUpgrade(request: IncomingMessage): boolean {
    const { routes, servesHost } = this.#site;
    const isAlone = (this.#unanswered.get(request.socket) ?? 0) === 0;
    return isAlone && servesHost(request) && upgradeRoute(routes, request) !== undefined;
  }

  /** Waits for the word of a proxy, if there must be one. */
  #arrived(socket: Socket, proxies: BlockList | undefined, tls: 'direct' | 'none'): void {
    if (!proxies) return this.#accept(socket, tls);
    if (!isIn(proxies, clientAddressOf(socket))) return void socket.destroy();
    this.#unnamed.add(socket);
    socket.once('close', () => this.#unnamed.delete(socket));
    awaitProxyHeader(socket, this.#deps.clock, () => {
      this.#unnamed.delete(socket);
      this.#accept(socket, tls);
    });
  }

  #accept(socket: Socket, tls: 'direct' | 'none'): void {
    const { limiter } = this.#deps;
    const peer = clientAddressOf(socket);
    const counted = isIn(this.#site.trustedProxies, peer) ? undefined : peer;
    // A peer that already disconnected has no address.
    if (peer === '' || !limiter.admit(counted, this.#sockets.size)) return void socket.destroy();
    this.#sockets.add(socket);
    const release = () => {
      if (this.#sockets.delete(socket)) limiter.release(counted);
    };
    socket.once('close', release);
    if (tls === 'none') this.#serve(socket, release);
    else this.#secure(socket, release);
  }

  #serve(socket: Socket, release: () => void): void {
    this.#releases.set(socket, release);
    this.#http?.emit('connection', socket);
    // After the header of a proxy the socket is paused.
    socket.resume();
  }

  #secure(plain: Socket, release: () => void): void {
    // Any failure ends the connection.
    plain.on('error', () => plain.destroy());
    const socket = this.#layTls(plain, 'direct', undefined);
    noteClientAddress(socket, clientAddressOf(plain));
    const deadline = this.#deps.clock.after(this.#deps.limits.tlsHandshakeMs, () => plain.destroy());
    const failed = () => plain.destroy();
    socket.on('error', failed);
    socket.once('close', () => {
      deadline.cancel();
      plain.destroy();
    });
    socket.once('secure', () => {
      deadline.cancel();
      socket.off('error', failed);
      if (socket.alpnProtocol !== 'xmpp-client') return this.#serve(socket, release);
      release();
      this.#deps.takeStream?.(socket);
    });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, firstBytes: Buffer): void {
    const { routes, trustedProxies } = this.#site;
    const found = upgradeRoute(routes, request);
    if (found === undefined) return void socket.destroy();
    // The HTTP deadlines end here.
    request.socket.setTimeout(0);
    this.#releases.get(socket)?.();
    socket.on('error', () => socket.destroy());
    found.route.upgrade?.(requestHead(found, request, trustedProxies), socket, firstBytes, request);
  }
}

function withTable({ routes, ...site }: Site): ServedSite {
  return { ...site, routes: new RouteTable(routes) };
}
