import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { certificateHash } from '../../../../src/streams/negotiation/sasl/certificate-hash.ts';
import { channelBindingsOf } from '../../../../src/streams/negotiation/sasl/channel-binding.ts';
import { certificates, ecKey } from './certificates.ts';

function derOf(signature: string): Buffer {
  const found = certificates.find((certificate) => certificate.signature === signature);
  return Buffer.from(found?.der ?? '', 'base64');
}

function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

interface Session extends AsyncDisposable {
  readonly server: TLSSocket;
  readonly client: TLSSocket;
}

/** Both ends of a TLS session over the loopback. */
async function handshake(version: SecureVersion, certificate: Buffer): Promise<Session> {
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

describe('certificateHash', () => {
  for (const { signature, hash } of certificates) {
    it(`of a certificate signed with ${signature} is ${hash ?? 'undefined'}`, () => {
      const der = derOf(signature);
      const expected = hash && createHash(hash).update(der).digest('hex');
      expect(certificateHash(der)?.toString('hex')).to.equal(expected);
    });
  }
});

describe('channelBindingsOf', () => {
  it('finds in TLS 1.3 what the client finds', async () => {
    await using session = await handshake('TLSv1.3', derOf('ec-sha384'));
    const [exporter, endPoint, ...more] = channelBindingsOf(session.server);
    expect([exporter?.type, endPoint?.type, more.length]).to.deep.equal(['tls-exporter', 'tls-server-end-point', 0]);
    const label = 'EXPORTER-Channel-Binding';
    const exported = session.client.exportKeyingMaterial(32, label, Buffer.alloc(0));
    expect(exporter?.data().toString('hex')).to.equal(exported.toString('hex'));
    const seen = session.client.getPeerX509Certificate()?.raw ?? Buffer.alloc(0);
    const hash = createHash('sha384').update(seen).digest('hex');
    expect(endPoint?.data().toString('hex')).to.equal(hash);
  });

  it('differs between sessions where it must', async () => {
    await using one = await handshake('TLSv1.3', derOf('ec-sha256'));
    await using other = await handshake('TLSv1.3', derOf('ec-sha256'));
    const [first, second] = [one, other].map(({ server }) => channelBindingsOf(server).map(({ data }) => data()));
    expect(first?.[0]).to.not.deep.equal(second?.[0]);
    expect(first?.[1]).to.deep.equal(second?.[1]);
  });

  it('leaves tls-exporter out of TLS 1.2', async () => {
    await using session = await handshake('TLSv1.2', derOf('ec-sha256'));
    expect(channelBindingsOf(session.server).map(({ type }) => type)).to.deep.equal(['tls-server-end-point']);
  });

  it('leaves tls-server-end-point out where the certificate does not define it', () => {
    const exported = Buffer.alloc(32);
    const bindings = channelBindingsOf({
      getProtocol: () => 'TLSv1.3',
      exportKeyingMaterial: () => exported,
      getX509Certificate: () => new X509Certificate(derOf('ed25519')),
    });
    expect(bindings.map(({ type }) => type)).to.deep.equal(['tls-exporter']);
  });
});
