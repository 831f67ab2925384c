import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../support/log.ts';
import { Connection, type ConnectionParts } from './connection.ts';
import type { Arrival, Gate } from './gate.ts';
import type { TlsStart } from './stream-connection.ts';

/** What a gate needs from the rest of the house. */
export interface SocketGateParts {
  readonly connection: ConnectionParts;
  /** Connections that may wait in the kernel. */
  readonly backlog: number;
  /** Whether other threads listen on the same ports. */
  readonly reusePort?: boolean;
  readonly log: Pick<Log, 'error'>;
}

/** The gate to the sockets of this thread. */
export class SocketGate implements Gate<Connection> {
  readonly #parts: SocketGateParts;
  readonly #servers: Server[] = [];

  constructor(parts: SocketGateParts) {
    this.#parts = parts;
  }

  async open(
    { host, port }: { readonly host: string; readonly port: number },
    _start: TlsStart,
    arrived: (arrival: Arrival<Connection>) => void,
  ): Promise<AddressInfo> {
    const { backlog, reusePort = false } = this.#parts;
    const server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => this.#arrived(socket, arrived));
    server.listen({ host, port, backlog, reusePort });
    await once(server, 'listening');
    server.on('error', (error) => this.#parts.log.error({ err: error }, 'listener failed'));
    this.#servers.push(server);
    return server.address() as AddressInfo;
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }

  async end(): Promise<void> {
    this.close();
  }

  #arrived(socket: Socket, arrived: (arrival: Arrival<Connection>) => void): void {
    const { remoteAddress } = socket;
    // A peer that is gone already has no address.
    if (remoteAddress === undefined) return void socket.destroy();
    arrived({
      remoteAddress,
      admit: (user) => {
        const connection = new Connection(socket, user, this.#parts.connection);
        socket.resume();
        return connection;
      },
      turnAway: () => void socket.destroy(),
    });
  }
}
