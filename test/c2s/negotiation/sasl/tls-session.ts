import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, type SecureVersion, TLSSocket } from 'node:tls';
import { certificates, ecKey } from './certificates.ts';

/** The test certificate with this kind of signature. */
export function derOf(signature: string): Buffer {
  const found = certificates.find((certificate) => certificate.signature === signature);
  return Buffer.from(found?.der ?? '', 'base64');
}

function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

/** Both ends of a TLS session. */
export interface Session extends AsyncDisposable {
  readonly server: TLSSocket;
  readonly client: TLSSocket;
}

/** A context with this certificate. */
export function contextWith(certificate: Buffer, version: SecureVersion): SecureContext {
  const key = createPrivateKey({ key: Buffer.from(ecKey, 'base64'), format: 'der', type: 'pkcs8' });
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return createSecureContext({ cert: pemOf(certificate), key: pem, maxVersion: version, minVersion: version });
}

/** Opens a TLS session over the loopback. */
export function handshake(version: SecureVersion, certificate: Buffer): Promise<Session> {
  const secureContext = contextWith(certificate, version);
  return sessionOver((plain) => new TLSSocket(plain, { isServer: true, secureContext }));
}

/** The same, with TLS laid over the server's side by `layTls`, for a client that asks for a name. */
export async function sessionOver(layTls: (plain: Socket) => TLSSocket, servername = ''): Promise<Session> {
  const listener = createServer();
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const accepted: Promise<Socket[]> = once(listener, 'connection');
  const client = connect({
    port: portOf(listener.address()),
    host: '127.0.0.1',
    servername,
    rejectUnauthorized: false,
  });
  const secured = once(client, 'secureConnect');
  const [plain] = await accepted;
  if (!plain) throw new Error('no connection');
  const server = layTls(plain);
  await Promise.all([secured, once(server, 'secure')]);
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      for (const socket of [client, server]) socket.destroy();
      listener.close();
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
