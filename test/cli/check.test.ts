import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect } from 'chai';
import { checkData } from '../../src/check/check-data.ts';
import type { Finding } from '../../src/check/finding.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { loadCertificates } from '../../src/tls/certificates.ts';
import { addressRecord, type DnsRecord, DnsServer, srvRecord } from '../federation/dns-server.ts';
import { loopback, Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

describe('check', () => {
  const workplace = new Workplace();

  const check = async () => {
    const { code, out, err } = await workplace.run(['check', '--json']);
    const { findings }: { findings: Finding[] } = JSON.parse(out);
    const said = (level: Finding['level']) =>
      findings.filter((finding) => finding.level === level).map(({ topic, message }) => `${topic}: ${message}`);
    return {
      code,
      err,
      ok: said('ok').join('\n'),
      warnings: said('warning').join('\n'),
      errors: said('error').join('\n'),
    };
  };

  it('is content with a new installation, and leaves nothing behind', async () => {
    workplace.configure();
    const { code, ok, warnings, errors } = await check();
    expect(ok)
      .to.match(/server\.json is valid/)
      .and.match(/does not exist yet/)
      .and.match(/not running/);
    expect(ok)
      .to.match(/the server makes one, and clients must trust .*development-ca\.pem/)
      .and.match(/127\.0\.0\.1 port 0 is free/);
    expect({ code, warnings, errors }).to.deep.equal({ code: 0, warnings: '', errors: '' });
    expect(existsSync(workplace.path('data'))).to.equal(false);
  });

  it('tells where clients upload files', async () => {
    const listen = { https: [loopback] };
    for (const [settings, says] of [
      [{}, /cannot upload files: this needs listen\.https/],
      [{ listen: { c2s: [{ host: '0.0.0.0', port: 0 }], https: [loopback] } }, /cannot upload files: this needs/],
      [{ listen }, /upload files to https:\/\/localhost/],
      [{ listen, web: { publicUrl: 'http://chat.example' } }, /cannot upload files/],
      [{ listen, web: { uploadUrl: 'https://files.example' } }, /upload files to https:\/\/files\.example\./],
      [{ listen, uploads: { enabled: false } }, /cannot upload files: uploads\.enabled/],
    ] as const) {
      workplace.configure(settings);
      expect((await check()).ok).to.match(says);
    }
  });

  it('warns of a configuration that is open to others', async () => {
    workplace.configure({
      registration: { inBand: true },
      tls: { required: false },
      listen: { c2s: [{ host: '0.0.0.0', port: 0 }], c2sTls: [], http: [{ host: '0.0.0.0', port: 0 }] },
    });
    const { code, warnings } = await check();
    expect(warnings)
      .to.match(/registration\.inBand/)
      .and.match(/tls\.required/)
      .and.match(/listen\.http/)
      .and.match(/contact\.abuse/);
    expect(warnings).to.match(/certificates: localhost has no certificate of its own/);
    expect(code).to.equal(0);
    workplace.configure({ limits: { disabled: true }, log: { level: 'silent' } });
    expect((await check()).warnings)
      .to.match(/limits\.disabled/)
      .and.match(/log\.level/);
  });

  it('reads certificates: good ones, wrong ones and damaged ones', async () => {
    const dataDir = workplace.path('elsewhere');
    await loadCertificates({ domains: ['localhost'], dataDir, tls: { domains: {} } });
    const files = {
      certificate: workplace.path('elsewhere/tls/domains/localhost.pem'),
      key: workplace.path('elsewhere/tls/domains/localhost.key'),
    };
    workplace.configure({ tls: files });
    expect((await check()).ok).to.match(/The certificate of localhost is valid until \d{4}-/);
    workplace.configure({ domains: ['other.example'], tls: files });
    expect((await check()).warnings).to.match(/does not name other\.example/);
    chmodSync(files.key, 0o644);
    const open = await check();
    expect(open.errors).to.match(/open to other users.*chmod 600/);
    expect(open).to.include({ code: 4, err: 'ampere: One check failed.\n' });
    workplace.write('elsewhere/tls/domains/localhost.pem', 'nonsense');
    expect((await check()).errors).to.match(/holds no PEM certificate/);
  });

  it('says if the addresses for browsers have no certificate that names them', async () => {
    const dataDir = workplace.path('named');
    await loadCertificates({ domains: ['localhost'], dataDir, tls: { domains: {} } });
    const file = (kind: string) => workplace.path(`named/tls/domains/localhost.${kind}`);
    const settings = {
      tls: { certificate: file('pem'), key: file('key') },
      listen: { c2s: [loopback], c2sTls: [], https: [{ host: '0.0.0.0', port: 0 }] },
      web: { publicUrl: 'https://localhost', uploadUrl: 'https://files.localhost:5281' },
    };
    workplace.configure(settings);
    const { warnings } = await check();
    expect(warnings)
      .to.match(/certificates: the certificate for files\.localhost \(web\.uploadUrl\) does not name it/)
      .and.not.match(/publicUrl/);
    workplace.configure({ ...settings, web: { ...settings.web, trustedProxies: ['127.0.0.1'] } });
    expect((await check()).warnings).to.not.match(/does not name/);
  });

  it('reads the certificates of components, and says which are not named by any', async () => {
    const authority = async (domain: string) => {
      await loadCertificates({ domains: [domain], dataDir: workplace.path('made'), tls: { domains: {} } });
      const file = (kind: string) => workplace.path(`made/tls/domains/${domain}.${kind}`);
      return { certificate: file('pem'), key: file('key') };
    };
    const open = [{ host: '0.0.0.0', port: 0 }];
    workplace.configure({
      domains: ['localhost'],
      listen: { c2s: open, c2sTls: [], s2s: open, s2sTls: [] },
      components: { 'own.localhost': { secret: 'a' }, 'other.localhost': { secret: 'b' } },
      tls: { ...(await authority('localhost')), domains: { 'own.localhost': await authority('own.localhost') } },
      s2s: { dns: { servers: ['127.0.0.1:1'], timeoutSeconds: 1, tries: 1 } },
    });
    const { warnings } = await check();
    expect(warnings).to.match(/other\.localhost has no certificate that names it/);
    expect(warnings).to.not.match(/own\.localhost has no certificate|does not name/);
  });

  it('looks at the data directory: whose it is, who may read it and who uses it', async () => {
    workplace.configure();
    mkdirSync(workplace.path('data'), { mode: 0o755 });
    expect((await check()).warnings).to.match(/open to other users: run chmod 700/);
    const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal: () => {} });
    const locked = await check();
    await storage.close();
    expect(locked.errors).to.match(
      /in use by process \d+, and it does not answer|does not answer on its control socket/,
    );
    expect(locked.code).to.equal(1);
    expect((await check()).errors).to.equal('');
    if (process.getuid?.() === 0) {
      chownSync(workplace.path('data'), 12_345, 12_345);
      expect((await check()).warnings).to.match(/belongs to user 12345/);
    }
    workplace.configure({ dataDir: './server.json' });
    expect((await check()).errors).to.match(/server\.json is not a directory/);
  });

  it('says what an upgrade will do to the database, and whether there is room for it', async () => {
    workplace.configure();
    mkdirSync(workplace.path('data'), { mode: 0o700 });
    const withSchema = (version: number) => {
      const file = Buffer.alloc(3 * 2 ** 20);
      file.write('SQLite format 3');
      file.writeUInt32BE(version, 60);
      writeFileSync(workplace.path('data/ampere.db'), file);
    };
    withSchema(1);
    expect((await check()).ok).to.match(
      /data: The next start changes the database from schema 1 to \d+, .* \(3\.0 MiB\)\./,
    );
    const full = checkData(workplace.path('data'), false, () => ({ freeBytes: 2 ** 20, totalBytes: 2 ** 30 }));
    expect(full.map(({ level, message }) => `${level}: ${message}`).join()).to.match(
      /error: The next start .*, but only 1\.0 MiB are free\./,
    );
    withSchema(1000);
    const newer = await check();
    expect(newer.errors).to.match(/data: The database has schema 1000, but this version of Ampere knows only \d+/);
    expect(newer.code).to.equal(1);
  });

  it('tries the ports, but not those of a running server', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const taken = { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 };
    try {
      workplace.configure({ listen: { c2s: [taken], c2sTls: [loopback] } });
      const busy = await check();
      expect(busy.errors).to.match(/ports: 127\.0\.0\.1 port \d+ cannot be used: another program listens there/);
      expect(busy.code).to.equal(1);
      workplace.configure({ listen: { c2s: [{ ...taken, optional: true }], c2sTls: [loopback] } });
      expect(await check()).to.include({ code: 0, errors: '' });
      workplace.configure({ listen: { c2s: [taken], c2sTls: [] } });
      const server = await RunningAdministration.start(workplace.path('data'));
      const running = await check();
      await server.stop();
      expect(running.ok).to.match(/The server is running\./);
      expect(running).to.include({ code: 0, errors: '' });
    } finally {
      holder.close();
    }
  });

  it('tries the ports for other servers, components and HTTP, if there are any', async () => {
    const at = (host: string) => [{ host, port: 0 }];
    const servers = { s2s: at('127.0.0.3'), s2sTls: at('127.0.0.4') };
    const listen = { c2s: [], c2sTls: [loopback], ...servers, components: at('127.0.0.5'), http: at('127.0.0.6') };
    workplace.configure({ listen, s2s: { enabled: true }, components: { 'sms.example': { secret: 'x' } } });
    expect((await check()).ok.match(/127\.0\.0\.[3-6] port 0 is free/g)).to.have.length(4);
    workplace.configure({ listen, s2s: { enabled: false } });
    expect((await check()).ok).to.not.match(/127\.0\.0\.[345] port/);
  });

  it('reads the authorities that are trusted besides', async () => {
    workplace.configure({ s2s: { enabled: false, trustedAuthorities: './partners.pem' } });
    expect((await check()).errors).to.match(/partners\.pem: cannot be read \(ENOENT\)/);
    workplace.write('partners.pem', 'nonsense');
    expect((await check()).errors).to.match(/partners\.pem: holds no PEM certificate/);
    workplace.write('partners.pem', '-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n');
    expect((await check()).errors).to.match(/partners\.pem: a certificate is damaged/);
    const dataDir = workplace.path('elsewhere');
    const { developmentAuthority } = await loadCertificates({ domains: ['localhost'], dataDir, tls: { domains: {} } });
    workplace.configure({ s2s: { enabled: false, trustedAuthorities: developmentAuthority } });
    expect(await check()).to.include({ code: 0, errors: '' });
  });

  describe('of DNS', () => {
    let dns: DnsServer;
    let server: string;

    beforeEach(async () => {
      dns = new DnsServer();
      server = await dns.start();
    });
    afterEach(() => dns.stop());

    const open = (port: number) => [{ host: '0.0.0.0', port, optional: true }];
    const checkDns = async (settings: Parameters<typeof workplace.configure>[0] = {}) => {
      workplace.configure({
        domains: ['a.example', 'localhost'],
        listen: { c2s: open(45_222), c2sTls: open(45_223), s2s: open(45_269), s2sTls: [], components: [] },
        s2s: { dns: { servers: [server], timeoutSeconds: 60, tries: 1 } },
        rooms: { enabled: false },
        ...settings,
      });
      const { ok, warnings } = await check();
      const lines = (text: string) => text.split('\n').filter((line) => line.startsWith('dns: '));
      return { ok: lines(ok), warnings: lines(warnings) };
    };
    const leads = (name: string, ...records: DnsRecord[]) => dns.answers.set(`SRV ${name}._tcp.a.example`, records);
    const host = (name: string, address: string) => {
      dns.answers.set(`A ${name}`, [addressRecord(address)]);
      dns.answers.set(`AAAA ${name}`, []);
    };

    it('looks for the services with rooms, which other servers need', async () => {
      const rooms = 'dns: Other servers cannot find conference.a.example: it has neither';
      const { warnings } = await checkDns({ rooms: {} });
      expect(warnings.filter((line) => line.includes('conference'))).to.deep.equal([
        `${rooms} _xmpp-server._tcp records nor an address (fine if only users of this server need it).`,
      ]);
    });

    it('is content with records that lead here', async () => {
      leads('_xmpp-client', srvRecord(0, 0, 45_222, 'here.example'));
      leads('_xmpps-client', srvRecord(0, 0, 45_223, 'here.example'));
      leads('_xmpp-server', srvRecord(0, 0, 45_269, 'here.example'));
      host('here.example', '127.0.0.1');
      expect(await checkDns()).to.deep.equal({
        ok: [
          'dns: Clients find a.example at here.example port 45222.',
          'dns: Clients find a.example at here.example port 45223.',
          'dns: Other servers find a.example at here.example port 45269.',
        ],
        warnings: [],
      });
    });

    it('warns of what leads nowhere, or elsewhere', async () => {
      leads('_xmpp-client', srvRecord(0, 0, 5222, 'elsewhere.example'));
      leads('_xmpps-client', srvRecord(0, 0, 45_223, 'nowhere.example'));
      leads('_xmpp-server', srvRecord(0, 0, 5269, ''));
      host('elsewhere.example', '192.0.2.1');
      expect((await checkDns()).warnings).to.deep.equal([
        'dns: Clients find a.example at elsewhere.example port 5222, but this server does not listen on that port, and this machine has none of its addresses (fine behind a proxy or port forwarding).',
        'dns: Clients are sent to nowhere.example, which has no address.',
        'dns: _xmpp-server._tcp.a.example says that the service is not offered.',
      ]);
    });

    it('warns of a domain without records, unless its address does', async () => {
      expect((await checkDns()).warnings).to.deep.equal([
        'dns: Clients cannot find a.example: it has neither _xmpp-client._tcp records nor an address.',
        'dns: Other servers cannot find a.example: it has neither _xmpp-server._tcp records nor an address.',
      ]);
      host('a.example', '127.0.0.1');
      expect((await checkDns()).warnings).to.deep.equal([
        'dns: Clients find a.example at a.example port 5222, but this server does not listen on that port (fine behind a proxy or port forwarding).',
        'dns: Other servers find a.example at a.example port 5269, but this server does not listen on that port (fine behind a proxy or port forwarding).',
      ]);
    });

    it('asks about components what other servers would', async () => {
      host('a.example', '127.0.0.1');
      dns.answers.set('SRV _xmpp-server._tcp.echo.a.example', [srvRecord(0, 0, 45_269, 'a.example')]);
      const components = { 'echo.a.example': { secret: 'a' }, 'local.a.example': { secret: 'b' } };
      const { ok, warnings } = await checkDns({ components });
      const about = (lines: string[], domain: string) => lines.filter((line) => line.includes(` ${domain}`));
      expect(about(ok, 'echo.a.example')).to.deep.equal([
        'dns: Other servers find echo.a.example at a.example port 45269.',
      ]);
      expect(about(warnings, 'local.a.example')).to.deep.equal([
        'dns: Other servers cannot find local.a.example: it has neither _xmpp-server._tcp records nor an address (fine if only users of this server need it).',
      ]);
      expect(about(await checkDns({ components, s2s: { enabled: false } }).then((one) => one.warnings), 'local')).to.be
        .empty;
    });

    it('warns of hosts without an address that clients are sent to', async () => {
      host('a.example', '127.0.0.1');
      const here = { c2s: open(45_222), c2sTls: [], s2s: [], s2sTls: [], components: [], proxy: open(45_000) };
      const externalServices = [
        ...['stun', 'turn'].map((type) => ({ type, host: 'turn.example' })),
        { type: 'stun', host: 'a.example' },
        { type: 'stun', host: '192.0.2.1' },
      ];
      const about = async (proxy: object) =>
        (
          await checkDns({ listen: here, externalServices, proxy, s2s: { enabled: false, dns: { servers: [server] } } })
        ).warnings.filter((line) => line.includes(' for '));
      expect(await about({})).to.deep.equal([
        'dns: Clients are sent to proxy.a.example for file transfers, but it has no address.',
        'dns: Clients are sent to turn.example for calls, but it has no address.',
      ]);
      expect(await about({ host: '192.0.2.1' })).to.deep.equal([
        'dns: Clients are sent to turn.example for calls, but it has no address.',
      ]);
    });

    it('warns of a DNS that does not answer', async () => {
      leads('_xmpp-client', srvRecord(0, 0, 45_222, 'here.example'));
      host('here.example', '127.0.0.1');
      host('a.example', '127.0.0.1');
      dns.answers.set('SRV _xmpp-server._tcp.a.example', 'SERVFAIL');
      expect((await checkDns()).warnings).to.deep.equal([
        'dns: _xmpp-server._tcp.a.example could not be looked up: DNS does not answer for _xmpp-server._tcp.a.example (ESERVFAIL).',
      ]);
    });
  });

  it('speaks to people, too', async () => {
    workplace.configure();
    expect(await workplace.done('check')).to.match(/^ok +configuration +.*server\.json is valid\.$/m);
  });
});
