import { X509Certificate } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect } from 'chai';
import { judgeCertificate } from '../../src/federation/peer-certificate.ts';
import { TrustAnchors } from '../../src/federation/trust-anchors.ts';
import { type ContextSource, secureContextOptions } from '../../src/tls/tls-options.ts';
import {
  anchor,
  authority,
  certificate,
  constrainedTo,
  dns,
  type Identity,
  names,
  type Wanted,
  xmppAddr,
} from './certificate-maker.ts';
import { bad, good, named, peer } from './certificate-matrix.ts';
import { type PeerRole, showing, withPeer } from './peer-handshake.ts';

describe("another server's certificate", () => {
  let root: Identity;
  let ours: ContextSource;

  before(async () => {
    root = await anchor('the authority');
  });

  const verdict = async (role: PeerRole, shown: Identity | undefined, trust: TrustAnchors, domain = peer) =>
    withPeer(role, ours, showing(shown), (socket) => judgeCertificate(socket, domain, trust));

  const matrix = (role: PeerRole, trust: () => TrustAnchors) => {
    for (const [title, make] of good) {
      it(`convinces if it ${title}`, async () => {
        expect(await verdict(role, await make(root), trust())).to.deep.equal({ trusted: true });
      });
    }

    for (const [title, make, fault] of bad) {
      it(`does not convince if it ${title}`, async () => {
        const found = await verdict(role, await make(root), trust());
        expect(found.trusted, JSON.stringify(found)).to.equal(false);
        expect(found)
          .to.have.property('reason')
          .that.matches(fault ?? /./);
      });
    }
  };

  for (const role of ['client', 'server'] as const) {
    describe(`as the certificate of a ${role}, from an authority of the operator`, () => {
      before(async () => {
        ours = showing(await certificate({}), secureContextOptions.ciphers);
      });
      matrix(role, () => new TrustAnchors(root.certificate));
    });

    describe(`as the certificate of a ${role}, from an authority that Node.js trusts`, () => {
      const before_ = getCACertificates('default');
      before(async () => {
        setDefaultCACertificates([root.certificate]);
        ours = showing(await certificate({}), secureContextOptions.ciphers);
      });
      after(() => setDefaultCACertificates(before_));
      matrix(role, () => new TrustAnchors());
    });
  }

  describe('besides', () => {
    before(async () => {
      ours = showing(await certificate({}), secureContextOptions.ciphers);
    });

    it('does not convince if there is none', async () => {
      expect(await verdict('client', undefined, new TrustAnchors())).to.deep.equal({
        trusted: false,
        reason: 'no certificate',
      });
    });

    it('convinces although it signs itself if the operator named this very certificate', async () => {
      const shown = await certificate({ san: named });
      const trust = new TrustAnchors(shown.certificate);
      expect(await verdict('client', shown, trust)).to.deep.equal({ trusted: true });
      expect(await verdict('client', shown, trust, 'other.example')).to.have.property('trusted', false);
      const other = await certificate({ san: named, subject: shown.subject });
      expect(await verdict('client', other, trust)).to.have.property('trusted', false);
    });

    it('has a wildcard for more than one label behind it', async () => {
      const shown = await certificate({ san: names(dns('*.example')) }, root);
      expect(await verdict('server', shown, new TrustAnchors(root.certificate), 'peer.example')).to.have.property(
        'trusted',
        false,
      );
    });

    const limited: readonly [string, Wanted, RegExp][] = [
      ['may not have authorities below', { authority: 0 }, /more authorities/],
      ['is for other names', { further: [constrainedTo('other.example')] }, /name constraints/],
      ['has expired', { until: -0.5 }, /expired/],
      ['is not valid yet', { from: 0.5 }, /not yet valid/],
      ['has a key of 1024 bits', { rsaBits: 1024 }, /too weak/],
    ];
    for (const [title, wanted, fault] of limited)
      it(`does not convince if the operator's authority ${title}`, async () => {
        const own = await anchor('own', wanted);
        const shown = await certificate({ san: named }, await authority('middle', own));
        const trust = new TrustAnchors(own.certificate);
        expect(await verdict('client', shown, trust))
          .to.have.property('reason')
          .that.matches(fault);
      });

    it('is for its own labels: a wildcard one level deep does not reach two', async () => {
      const shown = await certificate({ san: names(dns('*.peer.example')) }, root);
      const trust = new TrustAnchors(root.certificate);
      expect(await verdict('server', shown, trust, 'a.chat.peer.example')).to.have.property('trusted', false);
      expect(await verdict('server', shown, trust, 'peer.example')).to.have.property('trusted', false);
    });

    it('names internationalized domains in A-labels, and addresses as they are written', async () => {
      const trust = new TrustAnchors(root.certificate);
      const shown = await certificate({ san: names(dns('xn--mnchen-3ya.example')) }, root);
      expect(await verdict('server', shown, trust, 'münchen.example')).to.deep.equal({ trusted: true });
      const address = await certificate({ san: names(xmppAddr('münchen.example')) }, root);
      expect(await verdict('server', address, trust, 'münchen.example')).to.deep.equal({ trusted: true });
    });

    it('is judged again for every domain that the peer claims', async () => {
      const shown = await certificate({ san: names(dns(peer), dns('rooms.example')) }, await authority('middle', root));
      const trust = new TrustAnchors(root.certificate);
      const verdicts = await withPeer('client', ours, showing(shown), (socket) =>
        [peer, 'rooms.example', 'other.example'].map((domain) => judgeCertificate(socket, domain, trust).trusted),
      );
      expect(verdicts).to.deep.equal([true, true, false]);
    });

    it('is not judged once the connection is gone', async () => {
      const trust = new TrustAnchors(root.certificate);
      const gone = await withPeer('client', ours, showing(await certificate({ san: named }, root)), (socket) => {
        socket.destroy();
        return judgeCertificate(socket, peer, trust);
      });
      expect(gone).to.have.property('trusted', false);
    });

    it('has its trust anchors as PEM, one after the other', () => {
      const two = new TrustAnchors(`Root:\n${root.certificate}\n${root.certificate}`);
      expect(two.names(new X509Certificate(root.certificate))).to.equal(true);
      expect(two.certificates.length).to.be.greaterThan(2);
    });
  });
});
