import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect } from 'chai';
import type { Finding } from '../../src/cli/check/finding.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { loadCertificates } from '../../src/streams/tls/certificates.ts';
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
      .to.match(/clients must trust .*development-ca\.pem/)
      .and.match(/127\.0\.0\.1 port 0 is free/);
    expect({ code, warnings, errors }).to.deep.equal({ code: 0, warnings: '', errors: '' });
    expect(existsSync(workplace.path('data'))).to.equal(false);
  });

  it('warns of a configuration that is open to others', async () => {
    workplace.configure({
      registration: { inBand: true },
      tls: { required: false },
      listen: { c2s: [{ host: '0.0.0.0', port: 0 }], c2sTls: [] },
    });
    const { code, warnings } = await check();
    expect(warnings)
      .to.match(/registration\.inBand/)
      .and.match(/tls\.required/)
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
    expect((await check()).ok).to.match(/The certificate of localhost is good until \d{4}-/);
    workplace.configure({ domains: ['other.example'], tls: files });
    expect((await check()).warnings).to.match(/does not name other\.example/);
    chmodSync(files.key, 0o644);
    const open = await check();
    expect(open.errors).to.match(/open to other users.*chmod 600/);
    expect(open).to.include({ code: 4, err: 'ampere: One check failed.\n' });
    workplace.write('elsewhere/tls/domains/localhost.pem', 'nonsense');
    expect((await check()).errors).to.match(/holds no PEM certificate/);
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

  it('tries the ports, but not those of a running server', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const taken = { host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 };
    try {
      workplace.configure({ listen: { c2s: [taken], c2sTls: [loopback] } });
      const busy = await check();
      expect(busy.errors).to.match(/ports: 127\.0\.0\.1 port \d+ cannot be had: another program listens there/);
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

  it('speaks to people, too', async () => {
    workplace.configure();
    expect(await workplace.done('check')).to.match(/^ok +configuration +.*server\.json is valid\.$/m);
  });
});
