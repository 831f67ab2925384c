import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { Log } from '../support/log.ts';
import type { ListenAddress } from './stream-listener.ts';

/** What opening a port needs. */
interface OpenPortDeps {
  /** Maximum connections waiting in the kernel to be accepted. */
  readonly backlog: number;
  readonly log: Log;
}

/** Makes a server listen on an address. Resolves with undefined if the address is optional and not available. */
export async function openPort(
  server: Server,
  { host, port, optional }: ListenAddress,
  { backlog, log }: OpenPortDeps,
): Promise<AddressInfo | undefined> {
  try {
    server.listen({ host, port, backlog });
    await once(server, 'listening');
  } catch (error) {
    if (!optional) throw error;
    log.warn({ err: error, host, port }, 'not listening there');
    return undefined;
  }
  server.on('error', (error) => log.error({ err: error }, 'listener failed'));
  return server.address() as AddressInfo;
}

/** Closes the server that listens on an address, and takes it out of the list. Its connections stay. */
export function closePort(servers: Server[], { address, port }: AddressInfo): void {
  const index = servers.findIndex((server) => {
    const bound = server.address();
    return typeof bound === 'object' && bound?.port === port && bound.address === address;
  });
  if (index >= 0) for (const server of servers.splice(index, 1)) server.close();
}
