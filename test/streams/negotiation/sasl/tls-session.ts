import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type SecureVersion, type TLSSocket } from 'node:tls';
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

/** Opens a TLS session over the loopback. */
export async function handshake(version: SecureVersion, certificate: Buffer): Promise<Session> {
  const key = createPrivateKey({ key: Buffer.from(ecKey, 'base64'), format: 'der', type: 'pkcs8' });
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  const listener = createServer({ cert: pemOf(certificate), key: pem, maxVersion: version, minVersion: version });
  await once(listener.listen(0, '127.0.0.1'), 'listening');
  const accepted: Promise<TLSSocket[]> = once(listener, 'secureConnection');
  const client = connect({ port: portOf(listener.address()), host: '127.0.0.1', rejectUnauthorized: false });
  await once(client, 'secureConnect');
  const [server] = await accepted;
  if (!server) throw new Error('no connection');
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
