import { execFile } from 'node:child_process';
import { chmodSync, chownSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { CertificateFiles } from '../../src/tls/certificate-files.ts';
import {
  CertificateError,
  type CertificateOptions,
  type CertificateStore,
  loadCertificates,
} from '../../src/tls/certificates.ts';
import { TestAuthority } from './test-authority.ts';

const dayMs = 86_400_000;

describe('the certificates of the server', () => {
  const authority = new TestAuthority();

  function load(
    domains: string[],
    tls: Partial<CertificateOptions['tls']>,
    services: string[] = [],
  ): Promise<CertificateStore> {
    return loadCertificates({ domains, services, dataDir: authority.directory, tls: { domains: {}, ...tls } });
  }

  async function problemsOf(
    tls: Partial<CertificateOptions['tls']>,
    domains = ['a.example'],
  ): Promise<readonly string[]> {
    const error = await load(domains, tls).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof CertificateError)) throw error ?? new Error('they were accepted');
    return error.problems.map((problem) => problem.replaceAll(`${authority.directory}/`, ''));
  }

  async function warningsOf(file: CertificateFiles, domain = 'a.example'): Promise<string[]> {
    const { warnings } = await load([domain], file);
    return warnings.map((warning) => warning.replaceAll(`${authority.directory}/`, ''));
  }

  function subjectFor(store: CertificateStore, name: string | undefined): string {
    return store.certificateFor(name).leaf.subject;
  }

  it('are found by domain, the shared one being the default', async () => {
    const store = await load(['b.example', 'a.example'], {
      ...(await authority.issue('shared', ['a.example'])),
      domains: { 'b.example': await authority.issue('b', ['b.example']) },
    });
    expect(subjectFor(store, 'b.example')).to.equal('CN=b');
    expect(subjectFor(store, 'a.example')).to.equal('CN=shared');
    expect(subjectFor(store, undefined)).to.equal('CN=shared');
    expect(store.warnings).to.deep.equal([]);
    expect(store.developmentAuthority).to.equal(undefined);
  });

  it('without a shared one default to that of the first domain', async () => {
    const store = await load(['b.example', 'a.example'], {
      domains: {
        'a.example': await authority.issue('a', ['a.example']),
        'b.example': await authority.issue('b', ['b.example']),
      },
    });
    expect(subjectFor(store, undefined)).to.equal('CN=b');
  });

  it('are found by the A-labels of an internationalized domain, in any case, with a final dot', async () => {
    const store = await load(['a.example', 'exämple.org'], {
      domains: {
        'a.example': await authority.issue('a', ['a.example']),
        'exämple.org': await authority.issue('i', ['xn--exmple-cua.org']),
      },
    });
    for (const name of ['xn--exmple-cua.org', 'XN--EXMPLE-CUA.ORG', 'xn--exmple-cua.org.', 'exämple.org']) {
      expect(subjectFor(store, name), name).to.equal('CN=i');
    }
    expect(store.warnings).to.deep.equal([]);
  });

  it('of services are their own, or those of the nearest domain above them', async () => {
    const names = ['a.example', 'b.example', 'rooms.b.example'];
    const issued = await Promise.all(names.map(async (name) => [name, await authority.issue(name, [name])] as const));
    const services = ['echo.a.example', 'rooms.b.example', 'echo.b.example', 'x.rooms.b.example', 'elsewhere.example'];
    const store = await load(['a.example', 'b.example'], { domains: Object.fromEntries(issued) }, services);
    expect(services.map((name) => subjectFor(store, name))).to.deep.equal([
      'CN=a.example',
      'CN=rooms.b.example',
      'CN=b.example',
      'CN=rooms.b.example',
      'CN=a.example',
    ]);
    expect(store.pems.domains.map(([name]) => name)).to.include('echo.b.example');
    expect(store.warnings).to.deep.equal([]);
    expect(store.single).to.equal(false);
  });

  it('of services are looked at like the others', async () => {
    const domains = { 'echo.a.example': await authority.issue('echo', ['other.example']) };
    const store = await load(['a.example'], { ...(await authority.issue('a', ['a.example'])), domains }, [
      'echo.a.example',
    ]);
    expect(store.warnings.join()).to.match(/does not name echo\.a\.example/);
    const missing = { certificate: `${authority.directory}/no.pem`, key: `${authority.directory}/no.key` };
    const error = await load(['a.example'], { domains: { 'echo.a.example': missing } }, ['echo.a.example']).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(CertificateError);
  });

  it('fall back to the default for every other name', async () => {
    const store = await load(['a.example', 'b.example'], {
      domains: {
        'a.example': await authority.issue('a', ['a.example']),
        'b.example': await authority.issue('b', ['b.example']),
      },
    });
    const odd = [
      '',
      '.',
      'c.example',
      'x'.repeat(300),
      'b.example\0',
      '\ud800',
      'xn--',
      '__proto__',
      '127.0.0.1',
      '*.example',
    ];
    for (const name of odd) expect(subjectFor(store, name), JSON.stringify(name)).to.equal('CN=a');
  });

  it('are refused when the key belongs to another certificate', async () => {
    const { certificate } = await authority.issue('a', ['a.example']);
    const { key } = await authority.issue('b', ['b.example']);
    expect(await problemsOf({ certificate, key })).to.deep.equal(['b.key: is not the key of a.pem']);
  });

  it('are refused when others can read the key', async () => {
    const files = await authority.issue('a', ['a.example']);
    for (const mode of [0o604, 0o644, 0o660, 0o666]) {
      chmodSync(files.key, mode);
      const text = `a.key: the private key is open to other users (mode 0${mode.toString(8)}); run: chmod 600 a.key`;
      expect(await problemsOf(files)).to.deep.equal([text]);
    }
  });

  it('may have a key that root shares with a group, and nobody else may', async function () {
    if (process.getuid?.() !== 0) return this.skip();
    const files = await authority.issue('a', ['a.example']);
    chmodSync(files.key, 0o640);
    await load(['a.example'], files);
    chownSync(files.key, 1, 1);
    expect(await problemsOf(files)).to.have.lengthOf(1);
  });

  it('are refused with everything that is wrong, each problem once', async () => {
    const bad = { certificate: authority.write('empty.pem', ''), key: authority.write('empty.key', '') };
    const missing = { certificate: `${authority.directory}/no.pem`, key: `${authority.directory}/no.key` };
    const good = await authority.issue('good', ['c.example']);
    const tls = { ...bad, domains: { 'b.example': missing, 'c.example': good } };
    expect(await problemsOf(tls, ['a.example', 'b.example', 'c.example', 'd.example'])).to.deep.equal([
      'empty.pem: holds no PEM certificate',
      'no.pem: cannot be read (ENOENT)',
    ]);
  });

  it('are refused when a file is damaged', async () => {
    const { certificate, key } = await authority.issue('a', ['a.example']);
    const damaged = (file: string) => readFileSync(file, 'latin1').replace(/\n[^-]{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
    const badCertificate = authority.write('bad.pem', damaged(certificate));
    const badKey = authority.write('bad.key', damaged(key));
    expect((await problemsOf({ certificate: badCertificate, key }))[0]).to.match(
      /^bad\.pem: the certificate is damaged \(ERR_/,
    );
    expect((await problemsOf({ certificate, key: badKey }))[0]).to.match(
      /^bad\.key: the private key is damaged \(ERR_/,
    );
    expect(await problemsOf({ certificate, key: certificate })).to.deep.equal(['a.pem: holds no PEM private key']);
    expect(await problemsOf({ certificate, key: `${key}s` })).to.deep.equal(['a.keys: cannot be read (ENOENT)']);
  });

  it('open an encrypted key with its passphrase', async () => {
    const files = await authority.issue('a', ['a.example'], { passphrase: 'right' });
    expect((await load(['a.example'], { ...files, passphrase: 'right' })).warnings).to.deep.equal([]);
    expect(await problemsOf(files)).to.deep.equal(['a.key: the private key is encrypted; set its passphrase']);
    expect(await problemsOf({ ...files, passphrase: 'wrong' })).to.deep.equal([
      'a.key: the passphrase does not open the private key',
    ]);
  });

  it('say when the certificate is for something else', async () => {
    const text = 'x.pem: the certificate does not name a.example; clients will refuse it';
    const others = [['b.example'], ['*.a.example'], ['*.example.a.example'], ['127.0.0.1'], ['a.example.b.example']];
    for (const names of others)
      expect(await warningsOf(await authority.issue('x', names)), names[0]).to.deep.equal([text]);
    const onlyCommonName = await authority.issue('x', ['b.example'], { commonName: 'a.example' });
    expect(await warningsOf(onlyCommonName)).to.deep.equal([text]);
  });

  it('take a wildcard for the first label, not for more', async () => {
    expect(await warningsOf(await authority.issue('w', ['*.a.example']), 'im.a.example')).to.deep.equal([]);
    expect(await warningsOf(await authority.issue('w', ['*.a.example']), 'x.im.a.example')).to.have.lengthOf(1);
    expect(await warningsOf(await authority.issue('w', ['i*.a.example']), 'im.a.example')).to.have.lengthOf(1);
    expect(await warningsOf(await authority.issue('w', ['*.example']), 'a.example')).to.have.lengthOf(1);
  });

  it('say when the certificate has expired, soon will, or is not valid yet', async () => {
    const nowMs = Date.now();
    const until = (notAfterMs: number) => authority.issue('x', ['a.example'], { notAfterMs });
    expect((await warningsOf(await until(nowMs - 1000)))[0]).to.match(/^x\.pem: the certificate expired on .* GMT$/);
    expect(await warningsOf(await until(nowMs + 3.5 * dayMs))).to.deep.equal([
      'x.pem: the certificate expires in 3 days',
    ]);
    expect(await warningsOf(await until(nowMs + 15 * dayMs))).to.deep.equal([]);
    const future = await authority.issue('x', ['a.example'], { notBeforeMs: nowMs + dayMs });
    expect(await warningsOf(future)).to.deep.equal(['x.pem: the certificate is not valid yet']);
  });

  it('are made for the domains that have none', async () => {
    const store = await load(['a.example', 'b.example'], {
      domains: { 'a.example': await authority.issue('a', ['a.example']) },
    });
    expect(subjectFor(store, 'a.example')).to.equal('CN=a');
    expect(store.certificateFor('b.example').leaf.subjectAltName).to.equal('DNS:b.example');
    expect(store.developmentAuthority).to.equal(`${authority.directory}/tls/development-ca.pem`);
  });

  it('need nothing that makes certificates where all are configured', async () => {
    const domains = { 'a.example': await authority.issue('a', ['a.example']) };
    const options = { domains: ['a.example'], dataDir: authority.directory, tls: { domains } };
    const program = `
      import { loadCertificates } from ${JSON.stringify(import.meta.resolve('../../src/tls/certificates.ts'))};
      await loadCertificates(${JSON.stringify(options)});
      console.log(typeof Reflect.getMetadata);`;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
    expect(stdout.trim()).to.equal('undefined');
  });

  it('say when none can be made', async () => {
    authority.write('tls', 'a file where the directory should be');
    expect((await problemsOf({}))[0]).to.match(/^no certificate was configured, and none could be made: /);
  });
});
