import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { answerPeerTls, askPeerTls } from '../../src/tls/peer-tls.ts';
import { type ContextSource, secureContextOptions } from '../../src/tls/tls-options.ts';
import type { Identity } from './certificate-maker.ts';

/** The role of the peer whose certificate is looked at. */
export type PeerRole = 'client' | 'server';

/** Suites that also show what is too weak for anybody to take. */
const anyStrength = `${secureContextOptions.ciphers}:@SECLEVEL=0`;

/** Contexts that show one certificate whatever is asked for. */
export function showing(identity: Identity | undefined, ciphers = anyStrength): ContextSource {
  const { certificate = '', chain = [certificate], key } = identity ?? {};
  const context = createSecureContext({
    ...secureContextOptions,
    ciphers,
    ...(key ? { cert: chain.join('\n'), key: key.export({ type: 'pkcs8', format: 'pem' }) } : {}),
  });
  return { single: true, contextFor: () => context };
}

/** Shakes hands with a peer over TCP and TLS, and gives our end of it to `look`. */
export async function withPeer<T>(
  role: PeerRole,
  ours: ContextSource,
  theirs: ContextSource,
  look: (ourEnd: TLSSocket) => T,
): Promise<T> {
  const { near, far } = await tcpPair();
  const [asking, answering] = role === 'client' ? [theirs, ours] : [ours, theirs];
  const server = answerPeerTls(near, answering, 'starttls');
  const client = askPeerTls(far, asking, { local: 'home.example', remote: 'peer.example' }, 'starttls');
  client.on('error', () => undefined);
  try {
    await Promise.all([once(server, 'secure'), once(client, 'secure')]);
    return look(role === 'client' ? server : client);
  } finally {
    client.destroy();
    server.destroy();
  }
}

async function tcpPair(): Promise<{ near: Socket; far: Socket }> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const far = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [near] = (await once(listener, 'connection')) as [Socket];
  listener.close();
  return { near, far };
}
