import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { namesServer, xmppNames } from '../../src/federation/certificate-names.ts';
import { DerError } from '../../src/tls/der.ts';
import { certificate, dns, names, srv, strangeName, xmppAddr } from './certificate-maker.ts';
import { peer } from './certificate-matrix.ts';

describe('the names of a certificate', () => {
  it('of XMPP are those of its two kinds, as they stand there', async () => {
    const san = names(dns('a.example'), srv('_xmpp-server.b.example'), strangeName('x'), xmppAddr('ü.example'));
    const { certificate: pem } = await certificate({ san });
    expect(xmppNames(new X509Certificate(pem))).to.deep.equal({
      srv: ['_xmpp-server.b.example'],
      address: ['ü.example'],
    });
  });

  it('are none without a SAN', async () => {
    const { certificate: pem } = await certificate({ subject: [{ CN: [peer] }] });
    expect(xmppNames(new X509Certificate(pem))).to.deep.equal({ srv: [], address: [] });
  });

  it('are none that were not there, however the certificate is damaged', async () => {
    const san = names(srv('_xmpp-server.other.example'), xmppAddr(`x@${peer}`), dns('other.example'), dns(`x.${peer}`));
    const { certificate: pem } = await certificate({ san });
    const whole = new X509Certificate(pem).raw;
    let readable = 0;
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(whole);
        bytes[at] = (bytes[at] ?? 0) ^ change;
        const damaged = parsed(bytes);
        if (damaged === undefined) return;
        readable += 1;
        expect(named(damaged)).to.equal(false);
      }),
      { numRuns: 2000 },
    );
    expect(readable).to.be.greaterThan(100);
  });

  it('are none where OpenSSL cannot read them', async () => {
    const { certificate: pem } = await certificate({ san: names(xmppAddr(peer), dns('other.example')) });
    const { raw } = new X509Certificate(pem);
    expect(namesServer(new X509Certificate(raw), peer)).to.equal(true);
    // A kind of name whose content would have to be of another form.
    raw[raw.indexOf('other.example') - 2] = 0x83;
    expect(namesServer(new X509Certificate(raw), peer)).to.equal(false);
  });
});

function parsed(bytes: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}

function named(damaged: X509Certificate): boolean {
  try {
    return namesServer(damaged, peer);
  } catch (error) {
    expect(error).to.be.instanceOf(DerError);
    return false;
  }
}
