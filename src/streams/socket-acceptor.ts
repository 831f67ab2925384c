import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../support/log.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import type { Acceptor, IncomingConnection } from './acceptor.ts';
import { Connection, type ConnectionDeps } from './connection.ts';

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
    { host, port }: { readonly host: string; readonly port: number },
    _start: TlsStart,
    arrived: (arrival: IncomingConnection<Connection>) => void,
  ): Promise<AddressInfo> {
    const { backlog, reusePort = false } = this.#deps;
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#arrived(socket, arrived));
    server.listen({ host, port, backlog, reusePort });
    await once(server, 'listening');
    server.on('error', (error) => this.#deps.log.error({ err: error }, 'listener failed'));
    this.#servers.push(server);
    return server.address() as AddressInfo;
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }

  async end(): Promise<void> {
    this.close();
  }

  #arrived(socket: Socket, arrived: (arrival: IncomingConnection<Connection>) => void): void {
    const { remoteAddress } = socket;
    // If the peer is already gone, there is no address.
    if (remoteAddress === undefined) return void socket.destroy();
    arrived({
      remoteAddress,
      admit: (user) => {
        const connection = new Connection(socket, user, this.#deps.connection);
        socket.resume();
        return connection;
      },
      refuse: () => void socket.destroy(),
    });
  }
}
