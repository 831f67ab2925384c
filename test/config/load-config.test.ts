import { expect } from 'chai';
import { ConfigError } from '../../src/config/config-error.ts';
import { defaultConfig, loadConfig } from '../../src/config/load-config.ts';
import type { LogOptions } from '../../src/support/log.ts';
import type { CertificateOptions } from '../../src/tls/certificates.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('loadConfig', () => {
  const directory = temporaryDirectory();

  function load(value: unknown, environment = {}) {
    return loadConfig(directory.write('server.json', JSON.stringify(value)), environment);
  }

  it('without a file serves localhost on loopback', () => {
    const config = loadConfig();
    expect(config.domains).to.deep.equal(['localhost']);
    expect(config.listen.c2s).to.deep.equal([
      { host: '127.0.0.1', port: 5222, optional: true },
      { host: '::1', port: 5222, optional: true },
    ]);
    const { c2sTls, http, https } = config.listen;
    expect([...c2sTls, ...http, ...https].map(({ port }) => port)).to.deep.equal([5223, 5223, 5280, 5280, 5281, 5281]);
    expect(config.tls.required).to.equal(true);
    expect(config.registration.inBand).to.equal(false);
  });

  it('gives an empty file the same values, with the data next to the file', () => {
    expect(load({})).to.deep.equal({ ...defaultConfig(), dataDir: directory.path('data') });
  });

  it('fills in the defaults of omitted keys', () => {
    const { limits } = load({ limits: { c2s: { stanzaBytes: 20_000 } } });
    expect(limits.c2s.stanzaBytes).to.equal(20_000);
    expect(limits.c2s.elements).to.equal(defaultConfig().limits.c2s.elements);
    expect(limits.connections).to.deep.equal(defaultConfig().limits.connections);
  });

  it('takes relative paths from the directory of the file', () => {
    const config = load({ dataDir: 'var', tls: { certificate: 'tls/a.pem', key: '/etc/a.key' } });
    expect(config.dataDir).to.equal(directory.path('var'));
    expect(config.tls).to.include({ certificate: directory.path('tls/a.pem'), key: '/etc/a.key' });
  });

  it('prepares domains', () => {
    const config = load({
      domains: ['Example.ORG', 'EXÄMPLE.org'],
      tls: { domains: { 'exämple.ORG': { certificate: 'a', key: 'b' } } },
    });
    expect(config.domains).to.deep.equal(['example.org', 'exämple.org']);
    expect(Object.keys(config.tls.domains)).to.deep.equal(['exämple.org']);
  });

  it('takes secrets from the environment and from files', () => {
    directory.write('secret', 'from a file\n');
    const tls = { certificate: 'a', key: 'b' };
    expect(load({ tls: { ...tls, passphrase: { env: 'P' } } }, { P: 'from outside' }).tls.passphrase).to.equal(
      'from outside',
    );
    expect(load({ tls: { ...tls, passphrase: { file: 'secret' } } }).tls.passphrase).to.equal('from a file');
    expect(load({ tls: { ...tls, passphrase: 'in place' } }).tls.passphrase).to.equal('in place');
  });

  it('is frozen all the way down', () => {
    const config = load({});
    expect(() => config.domains.push('example.com')).to.throw(TypeError);
    expect(() => Object.assign(config.limits.c2s, { stanzaBytes: 1 })).to.throw(TypeError);
    expect(() => Object.assign(config.listen.c2s[0] ?? {}, { port: 1 })).to.throw(TypeError);
  });

  it('lifts only rates when limits are disabled', () => {
    const { limits } = load({ limits: { disabled: true } });
    const usual = defaultConfig().limits;
    expect(limits.connections.perIpConcurrent).to.equal(Number.MAX_SAFE_INTEGER);
    expect(limits.c2s.readBytesPerSecond).to.equal(Number.MAX_SAFE_INTEGER);
    expect(limits.unauthenticated.readBurstBytes).to.equal(Number.MAX_SAFE_INTEGER);
    expect(limits.c2s.stanzaBytes).to.equal(usual.c2s.stanzaBytes);
    expect(limits.stanza).to.deep.equal(usual.stanza);
    expect(limits.authentication.failuresPerStream).to.equal(usual.authentication.failuresPerStream);
  });

  it('recognizes every loopback address', () => {
    const c2s = ['127.0.0.1', '127.9.9.9', '::1', 'localhost'].map((host) => ({ host, port: 5222 }));
    expect(load({ listen: { c2s }, limits: { disabled: true } }).listen.c2s).to.have.lengthOf(4);
  });

  it('allows any number of listeners on ports that the system chooses', () => {
    const anywhere = { host: '127.0.0.1', port: 0 };
    expect(load({ listen: { c2s: [anywhere, anywhere], c2sTls: [anywhere] } }).listen.c2s).to.have.lengthOf(2);
  });

  it('allows tls.required: false only where it is written', () => {
    expect(load({ tls: {} }).tls.required).to.equal(true);
    expect(load({ tls: { required: false } }).tls.required).to.equal(false);
  });

  it('allows a byte order mark', () => {
    expect(loadConfig(directory.write('server.json', '\ufeff{"domains": ["a.example"]}')).domains).to.deep.equal([
      'a.example',
    ]);
  });

  it('allows comments and trailing commas', () => {
    const file = directory.write('server.json', '{\n  // ours\n  "domains": [/* one */ "a.example",],\n}');
    expect(loadConfig(file).domains).to.deep.equal(['a.example']);
  });

  it('names a file that cannot be read', () => {
    const file = directory.path('missing.json');
    expect(() => loadConfig(file)).to.throw(
      ConfigError,
      `${file}:1:1: cannot be read (ENOENT: no such file or directory`,
    );
  });

  it('refuses text that is not UTF-8', () => {
    const file = directory.write('server.json', Buffer.from([0x22, 0xff, 0x22]));
    expect(() => loadConfig(file)).to.throw(ConfigError, `${file}:1:1: is not UTF-8 text`);
  });

  it('fits the options of the parts that use it', () => {
    const config = load({});
    const certificates: CertificateOptions = config;
    const log: LogOptions = config.log;
    expect([certificates.domains, log.level]).to.deep.equal([['localhost'], 'info']);
  });

  it('says why a secret file cannot be read', () => {
    const missing = directory.path('nowhere');
    expect(() => load({ tls: { certificate: 'a', key: 'b', passphrase: { file: 'nowhere' } } })).to.throw(
      `tls.passphrase: ENOENT: no such file or directory, open '${missing}'`,
    );
  });
});
