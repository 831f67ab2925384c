import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
import { startServer } from './server-process.ts';
import type { TestServer, TestServerOptions } from './test-server.ts';

/** A reference server in a process of its own: where it fails a test too, the test may be what is wrong. */
export async function startReferenceServer(options: TestServerOptions): Promise<TestServer> {
  const server = await startServer({ ...(options.domains && { domains: options.domains }) });
  const { host, ports, domains } = server.place;
  const trust: ConnectionOptions = { ca: await readFile(server.caFile), servername: server.domain };
  return {
    domains,
    c2s: { host, port: ports.starttls },
    get components(): never {
      throw new Error('the reference server has no components');
    },
    c2sTls: { host, port: ports.direct, tls: { ...trust, ALPNProtocols: ['xmpp-client'] } },
    trust,
    addUser: (jid, password) => server.addUser(jid, password),
    restart: () => server.restart(),
    stop: () => server.stop(),
  };
}
