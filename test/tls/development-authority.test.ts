import { X509Certificate } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { expect } from 'chai';
import { DevelopmentAuthority } from '../../src/tls/development-authority.ts';
import { TestAuthority } from './test-authority.ts';

const startMs = Date.UTC(2026, 0, 1);
const dayMs = 86_400_000;

describe('the development authority', () => {
  const temporary = new TestAuthority();
  const tlsDirectory = () => join(temporary.directory, 'tls');

  async function certify(domains: string[], nowMs = startMs): Promise<X509Certificate[]> {
    const files = await new DevelopmentAuthority(tlsDirectory(), nowMs).certificates(domains);
    return domains.map((domain) => new X509Certificate(readFileSync(files.get(domain)?.certificate ?? '')));
  }

  function authorityCertificate(): X509Certificate {
    return new X509Certificate(readFileSync(join(tlsDirectory(), 'development-ca.pem')));
  }

  function fingerprints(certificates: readonly X509Certificate[]): string[] {
    return certificates.map(({ fingerprint256 }) => fingerprint256);
  }

  it('signs certificates that say what they should', async () => {
    const [localhost, idn, address, address6] = await certify([
      'localhost',
      'exämple.org',
      '192.0.2.7',
      '[2001:db8::7]',
    ]);
    const authority = authorityCertificate();
    expect(localhost?.subjectAltName).to.equal('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    expect(idn?.subjectAltName).to.equal('DNS:xn--exmple-cua.org');
    expect(address?.subjectAltName).to.equal('IP Address:192.0.2.7');
    expect(address6?.subjectAltName).to.equal('IP Address:2001:DB8:0:0:0:0:0:7');
    expect(authority.ca).to.equal(true);
    expect(localhost?.ca).to.equal(false);
    expect(localhost?.checkIssued(authority) && localhost.verify(authority.publicKey)).to.equal(true);
    expect(localhost?.publicKey.asymmetricKeyDetails?.namedCurve).to.equal('prime256v1');
  });

  it('signs servers only, for both ends of a connection', async () => {
    const [server] = await certify(['localhost']);
    const authority = new x509.X509Certificate(authorityCertificate().raw);
    const constraints = authority.getExtension(x509.BasicConstraintsExtension);
    expect([constraints?.critical, constraints?.ca, constraints?.pathLength]).to.deep.equal([true, true, 0]);
    const usages = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;
    expect(authority.getExtension(x509.KeyUsagesExtension)?.usages).to.equal(usages);
    expect(server?.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it('gives every certificate a serial number of its own, of 128 random bits', async () => {
    const certificates = [...(await certify(['a.example', 'b.example', 'c.example'])), authorityCertificate()];
    const serials = certificates.map(({ serialNumber }) => BigInt(`0x${serialNumber}`));
    expect(new Set(serials).size).to.equal(4);
    for (const serial of serials) expect(serial > 2n ** 96n && serial < 2n ** 128n).to.equal(true);
  });

  it('keeps everything from other users', async () => {
    await certify(['localhost']);
    const modes = readdirSync(tlsDirectory(), { recursive: true, withFileTypes: true }).map((entry) => {
      const { mode } = statSync(join(entry.parentPath, entry.name));
      return `${entry.name} ${(mode & 0o777).toString(8)}`;
    });
    const files = [
      'development-ca.key 600',
      'development-ca.pem 600',
      'domains 700',
      'localhost.key 600',
      'localhost.pem 600',
    ];
    expect(modes.toSorted()).to.deep.equal(files);
    expect(statSync(tlsDirectory()).mode & 0o777).to.equal(0o700);
  });

  it('makes each certificate once', async () => {
    const made = fingerprints(await certify(['localhost', 'a.example']));
    expect(fingerprints(await certify(['localhost', 'a.example'], startMs + 300 * dayMs))).to.deep.equal(made);
  });

  it('adds domains under the same authority', async () => {
    const [first] = await certify(['localhost']);
    const before = authorityCertificate().fingerprint256;
    const [again, added] = await certify(['localhost', 'a.example']);
    expect(again?.fingerprint256).to.equal(first?.fingerprint256);
    expect(added?.subjectAltName).to.equal('DNS:a.example');
    expect(authorityCertificate().fingerprint256).to.equal(before);
  });

  it('renews a certificate before it expires', async () => {
    const [first] = await certify(['localhost']);
    const before = authorityCertificate().fingerprint256;
    const [renewed] = await certify(['localhost'], startMs + 340 * dayMs);
    expect(renewed?.fingerprint256).not.to.equal(first?.fingerprint256);
    expect(renewed?.validToDate.getTime()).to.equal(startMs + (340 - 1 + 397) * dayMs);
    expect(authorityCertificate().fingerprint256).to.equal(before);
  });

  it('renews itself while its certificates can still outlive the change', async () => {
    await certify(['localhost']);
    const before = authorityCertificate().fingerprint256;
    const [renewed] = await certify(['localhost'], startMs + (3650 - 397) * dayMs);
    expect(authorityCertificate().fingerprint256).not.to.equal(before);
    expect(renewed?.verify(authorityCertificate().publicKey)).to.equal(true);
  });

  for (const file of ['development-ca.key', 'development-ca.pem', 'domains/localhost.key', 'domains/localhost.pem']) {
    it(`replaces what belongs to a damaged ${file}`, async () => {
      await certify(['localhost']);
      writeFileSync(join(tlsDirectory(), file), 'damaged');
      const [certificate] = await certify(['localhost']);
      expect(certificate?.verify(authorityCertificate().publicKey)).to.equal(true);
      expect(fingerprints(await certify(['localhost']))).to.deep.equal([certificate?.fingerprint256]);
    });
  }

  it('replaces a certificate that was copied from another domain', async () => {
    await certify(['localhost', 'a.example']);
    for (const kind of ['pem', 'key']) {
      copyFileSync(
        join(tlsDirectory(), `domains/localhost.${kind}`),
        join(tlsDirectory(), `domains/a.example.${kind}`),
      );
    }
    const [certificate] = await certify(['a.example']);
    expect(certificate?.subjectAltName).to.equal('DNS:a.example');
  });

  it('gives no domain the files of another or of the authority', async () => {
    const files = await new DevelopmentAuthority(tlsDirectory(), startMs).certificates(['development-ca', '../escape']);
    expect([...files.values()].map(({ certificate }) => certificate.slice(tlsDirectory().length))).to.deep.equal([
      '/domains/development-ca.pem',
      '/domains/...pem',
    ]);
  });
});
