import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Acceptor, IncomingConnection } from '../streams/acceptor.ts';
import type { StreamConnection } from '../streams/stream-connection.ts';
import type { Log } from '../support/log.ts';
import type { TlsStart } from '../tls/tls-options.ts';
import { Edge } from './edge.ts';
import type { ConnectionSettings, EdgeOptions } from './edge-options.ts';

/** Accepts connections in several threads. Each thread listens on every port. */
export class Edges implements Acceptor<StreamConnection> {
  readonly #edges: readonly Edge[];
  #closed = false;

  constructor(count: number, options: Omit<EdgeOptions, 'memory' | 'reusePort'>, log: Pick<Log, 'error'>) {
    const reusePort = count > 1;
    this.#edges = Array.from({ length: count }, () => new Edge({ ...options, reusePort }, log));
  }

  async open(
    address: { readonly host: string; readonly port: number },
    start: TlsStart,
    arrived: (arrival: IncomingConnection) => void,
  ): Promise<AddressInfo> {
    const found = await freeAddress(address);
    const { port } = found;
    // Connections may still arrive from an edge that has not processed the close yet.
    const arrivedInTime = (arrival: IncomingConnection) => (this.#closed ? arrival.refuse() : arrived(arrival));
    await Promise.all(this.#edges.map((edge) => edge.open({ host: address.host, port }, start, arrivedInTime)));
    return found;
  }

  closePort(address: AddressInfo): void {
    for (const edge of this.#edges) edge.closePort(address);
  }

  close(): void {
    this.#closed = true;
    for (const edge of this.#edges) edge.close();
  }

  /** Uses these settings for new connections. */
  async renew(settings: ConnectionSettings): Promise<void> {
    await Promise.all(this.#edges.map((edge) => edge.renew(settings)));
  }

  async end(): Promise<void> {
    await Promise.all(this.#edges.map((edge) => edge.end()));
  }
}

/** The address, with a system-chosen port if it has none. Rejects if another process listens there, even with SO_REUSEPORT. */
async function freeAddress({ host, port }: { readonly host: string; readonly port: number }): Promise<AddressInfo> {
  const probe = createServer().listen({ host, port });
  await once(probe, 'listening');
  const found = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return found;
}
