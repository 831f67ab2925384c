import { createServer } from 'node:net';
import type { Certificate } from './certificate.ts';

/** What a server is given: ports of 127.0.0.1, a directory for what it writes, and its data in it. */
export interface Place {
  readonly directory: string;
  readonly data: string;
  readonly ports: { readonly plain: number; readonly tls: number; readonly https: number };
  readonly certificate: Certificate;
}

/** Ports that nobody listens on. */
export async function freePorts(): Promise<Place['ports']> {
  const [plain, tls, https] = await Promise.all([freePort(), freePort(), freePort()]);
  return { plain, tls, https };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
