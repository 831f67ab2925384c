import { createHash, X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { certificateHash } from '../../../../src/tls/certificate-hash.ts';
import { channelBindingsOf } from '../../../../src/tls/channel-binding.ts';
import { servingTls } from '../../../../src/tls/tls-options.ts';
import { certificates } from './certificates.ts';
import { contextWith, derOf, handshake, sessionOver } from './tls-session.ts';

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
    const bindings = channelBindingsOf(session.server);
    const [exporter, endPoint] = bindings;
    expect(bindings.map(({ type }) => type)).to.deep.equal(['tls-exporter', 'tls-server-end-point', 'tls-unique']);
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
    expect(first?.[2]).to.not.deep.equal(second?.[2]);
  });

  it('names the certificate that the client was shown, whichever name it asked for', async () => {
    const context = (signature: string) => contextWith(derOf(signature), 'TLSv1.3');
    const [one, other] = [context('ec-sha256'), context('ec-sha384')];
    const layTls = servingTls({ single: false, contextFor: (name) => (name === 'other.example' ? other : one) });
    for (const name of ['one.example', 'other.example', '', 'other.example', 'one.example']) {
      await using session = await sessionOver((plain) => layTls(plain, 'direct', undefined), name);
      const endPoint = channelBindingsOf(session.server).find(({ type }) => type === 'tls-server-end-point');
      const seen = session.client.getPeerX509Certificate()?.raw ?? Buffer.alloc(0);
      expect(endPoint?.data(), name).to.deep.equal(certificateHash(seen));
    }
  });

  it('leaves tls-exporter out of TLS 1.2', async () => {
    await using session = await handshake('TLSv1.2', derOf('ec-sha256'));
    const types = channelBindingsOf(session.server).map(({ type }) => type);
    expect(types).to.deep.equal(['tls-server-end-point', 'tls-unique']);
  });

  it('leaves tls-server-end-point out where the certificate does not define it', () => {
    const exported = Buffer.alloc(32);
    const bindings = channelBindingsOf({
      getProtocol: () => 'TLSv1.3',
      exportKeyingMaterial: () => exported,
      getX509Certificate: () => new X509Certificate(derOf('ed25519')),
      getPeerFinished: () => undefined,
    });
    expect(bindings.map(({ type }) => type)).to.deep.equal(['tls-exporter']);
  });
});
