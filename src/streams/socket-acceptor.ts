import { once } from 'node:events';
import { type AddressInfo, type BlockList, createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../support/log.ts';
import { isIn, networkList } from '../support/network-list.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import type { Acceptor, AcceptorAddress, IncomingConnection } from './acceptor.ts';
import { Connection, type ConnectionDeps } from './connection.ts';
import { closePort } from './open-port.ts';
import { awaitProxyHeader, clientAddressOf } from './proxy-protocol.ts';

/** Dependencies of an acceptor. */
interface SocketAcceptorDeps {
  readonly connection: ConnectionDeps;
  /** Maximum connections waiting in the kernel to be accepted. */
  readonly backlog: number;
  /** Whether other threads listen on the same ports. */
  readonly reusePort?: boolean;
  readonly log: Pick<Log, 'error'>;
}

/** Accepts connections on sockets of this thread. */
export class SocketAcceptor implements Acceptor<Connection> {
  readonly #deps: SocketAcceptorDeps;
  readonly #servers: Server[] = [];

  constructor(deps: SocketAcceptorDeps) {
    this.#deps = deps;
  }

  async open(
    { host, port, proxyProtocol }: AcceptorAddress,
    start: TlsStart,
    arrived: (arrival: IncomingConnection<Connection>) => void,
  ): Promise<AddressInfo> {
    const { backlog, reusePort = false } = this.#deps;
    const proxies = proxyProtocol && networkList(proxyProtocol);
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) =>
      this.#accept(socket, proxies, () => this.#arrived(socket, start, arrived)),
    );
    server.listen({ host, port, backlog, reusePort });
    await once(server, 'listening');
    server.on('error', (error) => this.#deps.log.error({ err: error }, 'listener failed'));
    this.#servers.push(server);
    return server.address() as AddressInfo;
  }

  closePort(address: AddressInfo): void {
    closePort(this.#servers, address);
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }

  async end(): Promise<void> {
    this.close();
  }

  /** Waits for the word of a proxy, if there must be one. */
  #accept(socket: Socket, proxies: BlockList | undefined, arrived: () => void): void {
    if (!proxies) return arrived();
    if (!isIn(proxies, clientAddressOf(socket))) return void socket.destroy();
    awaitProxyHeader(socket, this.#deps.connection.clock, arrived);
  }

  #arrived(socket: Socket, start: TlsStart, arrived: (arrival: IncomingConnection<Connection>) => void): void {
    const remoteAddress = clientAddressOf(socket);
    // If the peer is already gone, there is no address.
    if (remoteAddress === '') return void socket.destroy();
    arrived({
      remoteAddress,
      admit: (user) => {
        const connection = new Connection(socket, user, this.#deps.connection);
        // TLS reads the socket itself. On a flowing socket, bytes that came with the header of a proxy would be lost.
        if (start !== 'direct') socket.resume();
        return connection;
      },
      refuse: () => void socket.destroy(),
    });
  }
}
