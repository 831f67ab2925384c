import { existsSync } from 'node:fs';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { CopyProgress } from '../../src/cli/progress.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { verifyBackup } from '../../src/storage/sqlite/verify-backup.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { Workplace } from './run.ts';
import { RunningAdministration, sampleStatus } from './running-administration.ts';

describe('a running server', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    server = await RunningAdministration.start(workplace.path('data'));
  });
  afterEach(() => server.stop());

  it('shows its state', async () => {
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    server.connect('romeo@localhost/orchard');
    const status = JSON.parse(await workplace.done('status', '--json'));
    expect(status).to.deep.include({
      ...sampleStatus,
      pid: process.pid,
      domains: ['localhost'],
      accounts: 1,
      sessions: 1,
    });
    expect(status.disk).to.have.keys('freeBytes', 'totalBytes', 'refusing');
    expect(await workplace.done('status'))
      .to.match(/^Version +1\.2\.3$/m)
      .and.match(/^Clients \(STARTTLS\) +127\.0\.0\.1 port 5222$/m)
      .and.match(/^Clients \(TLS\) +none$/m)
      .and.match(/^Started +2026-01-01T00:00:00/m)
      .and.match(/^Rules +3 fired$/m)
      .and.match(/^Disk +\d+\.\d of \d+\.\d GiB free$/m);
  });

  it('answers commands while its configuration file has a mistake in a key that they do not need', async () => {
    workplace.write('server.json', '{ "domian": 1 }');
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    expect(await workplace.done('user', 'list')).to.equal('romeo@localhost\n');
    expect(JSON.parse(await workplace.done('status', '--json'))).to.include({ accounts: 1 });
  });

  it('shows who is connected', async () => {
    const orchard = server.connect('romeo@localhost/orchard');
    orchard.presence.available = Stanza.presence({});
    orchard.presence.priority = 5;
    server.connect('juliet@localhost/balcony');
    expect(await workplace.done('sessions')).to.match(/^romeo@localhost\/orchard +priority 5$/m);
    expect(JSON.parse(await workplace.done('sessions', '--json', '--user', 'juliet@localhost'))).to.deep.equal({
      sessions: [{ jid: 'juliet@localhost/balcony', available: false, priority: 0 }],
    });
    expect(await workplace.done('sessions', '--user', 'nobody@localhost')).to.equal('');
  });

  it('lists the components and their state', async () => {
    server.components = [
      { domain: 'sms.localhost', gateway: true, waiting: 3 },
      { domain: 'bot.localhost', gateway: false, remoteAddress: '::1', waiting: 0 },
    ];
    expect(await workplace.done('components', 'list')).to.match(
      /^sms\.localhost +not connected +gateway +3 waiting\nbot\.localhost +connected from ::1$/m,
    );
    expect(JSON.parse(await workplace.done('components', 'list', '--json'))).to.deep.equal({
      components: server.components,
    });
  });

  it('lists the streams with other servers', async () => {
    const usual = { local: 'localhost', state: 'open', tls: true, management: true, queued: 0, unacknowledged: 0 };
    server.peers = [
      { ...usual, remote: 'b.example', direction: 'out', authenticatedBy: 'certificate', remoteAddress: '::1' },
      {
        ...usual,
        remote: 'b.example',
        direction: 'in',
        authenticatedBy: 'dialback',
        remoteAddress: '::1',
        unacknowledged: 2,
      },
      {
        ...usual,
        remote: 'c.example',
        direction: 'out',
        state: 'backing-off',
        tls: false,
        queued: 3,
        retryInMs: 4200,
        failure: 'it\u001b is gone',
      },
      { ...usual, remote: 'a.example', direction: 'in', bothWays: true },
    ];
    expect((await workplace.done('s2s', 'list')).split('\n')).to.deep.equal([
      'localhost <-> a.example  open                      TLS',
      'localhost -> b.example   open         certificate  TLS  ::1',
      'localhost <- b.example   open         dialback     TLS  ::1  2 unacknowledged',
      'localhost -> c.example   backing-off                         3 waiting, next attempt in 5 s, it\\u001b is gone',
      '',
    ]);
    expect(JSON.parse(await workplace.done('s2s', 'list', '--json'))).to.deep.equal({ streams: server.peers });
  });

  it('tests the way to another server', async () => {
    const steps = [
      { step: 'addresses', ok: true, detail: 'x.b.example port 5269, STARTTLS (DNS)' },
      { step: 'stream', ok: false, detail: 'the "stream" has\n\u009b2K ended' },
    ] as const;
    server.linkTest = { steps, reached: false };
    const failed = await workplace.run(['s2s', 'test', 'B.example']);
    expect(failed).to.include({ code: 1, err: 'ampere: The stream to B.example failed.\n' });
    expect(failed.out).to.equal(
      'ok      addresses  x.b.example port 5269, STARTTLS (DNS)\nfailed  stream     the "stream" has\\n\\u009b2K ended\n',
    );
    expect(server.asked).to.deep.equal([{ local: 'localhost', remote: 'b.example' }]);
    server.linkTest = { steps: [], reached: true };
    expect(JSON.parse(await workplace.done('s2s', 'test', 'b.example', '--json'))).to.deep.equal(server.linkTest);
    for (const [args, code] of [
      [['localhost'], 2],
      [['romeo@b.example'], 2],
      [['b example'], 2],
      [['b.example', '--from', 'c.example'], 5],
    ] as const)
      expect((await workplace.run(['s2s', 'test', ...args])).code, args.join(' ')).to.equal(code);
  });

  it('ends one session, or all of an account', async () => {
    const [orchard, phone, other] = ['romeo@localhost/orchard', 'romeo@localhost/phone', 'juliet@localhost/x'].map(
      (jid) => server.connect(jid),
    );
    await workplace.done('kick', 'romeo@localhost/orchard', '--reason', 'Maintenance');
    expect(orchard?.closedBy).to.include({ condition: 'policy-violation', text: 'Maintenance' });
    expect(phone?.closedBy).to.equal(undefined);
    expect(await workplace.done('kick', 'romeo@localhost')).to.match(/phone was disconnected/);
    expect(phone?.closedBy?.condition).to.equal('policy-violation');
    expect(other?.closedBy).to.equal(undefined);
    for (const absent of ['romeo@localhost/nowhere', 'nobody@localhost']) {
      expect((await workplace.run(['kick', absent])).code).to.equal(5);
    }
  });

  it('reloads, or says with exit code 4 why it does not', async () => {
    expect(await workplace.done('reload')).to.not.contain('restart');
    server.waiting = ['domains', 'listen.c2s'];
    expect(await workplace.done('reload')).to.match(/^domains needs a restart\.\nlisten\.c2s needs a restart\.$/m);
    expect(server.reloads).to.equal(2);
    server.reloadFailure = new Error('server.json:1:1: is not JSON');
    expect(await workplace.run(['reload'])).to.include({ code: 4, err: 'ampere: server.json:1:1: is not JSON.\n' });
  });

  it('is backed up, but never over another file', async () => {
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    await workplace.done('backup', 'copy.db');
    expect(existsSync(workplace.path('copy.db'))).to.equal(true);
    expect((await workplace.run(['backup', 'copy.db'])).code).to.equal(5);
    expect(await workplace.run(['restore', 'copy.db'])).to.include({
      code: 5,
      err: 'ampere: The server is running: stop it first.\n',
    });
  });
});

describe('backup and restore', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure());

  it('bring back the accounts of a stopped server and keep what they replace', async () => {
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    await workplace.done('backup', 'copy.db');
    await workplace.done('user', 'rm', 'romeo@localhost');
    const out = await workplace.done('restore', 'copy.db');
    expect(await workplace.done('user', 'list')).to.equal('romeo@localhost\n');
    const kept = /is kept as (.*)\.\n/.exec(out)?.[1] ?? '';
    expect(existsSync(kept), out).to.equal(true);
  });

  it('verify the copy if they are asked to', async () => {
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    const { verified, file } = JSON.parse(await workplace.done('backup', 'copy.db', '--verify', '--json'));
    expect(verified).to.include({ accounts: 1 });
    expect(await workplace.done('backup', '--verify', 'other.db')).to.match(
      /The copy is sound: 1 accounts, \d+ bytes\./,
    );
    const db = new Database(file);
    db.pragma('foreign_keys = OFF');
    db.exec("INSERT INTO blocklist (account_id, jid) VALUES (99, 'a')");
    db.close();
    expect(() => verifyBackup(file)).to.throw(StorageError, /a row of blocklist belongs to nothing/);
  });

  it('say how much is copied', async () => {
    const said = Promise.withResolvers<string>();
    const stderr = { isTTY: true, write: (text: string) => said.resolve(text) };
    const progress = new CopyProgress({ stderr }, workplace.write('copy.db', Buffer.alloc(3 * 2 ** 20)));
    expect(await said.promise).to.match(/^\r3 MiB copied/);
    progress.end();
  });

  it('refuse a file that is not a backup', async () => {
    workplace.write('copy.db', 'not a database, but long enough to look at'.repeat(100));
    const { code, err } = await workplace.run(['restore', 'copy.db']);
    expect(err).to.match(/copy\.db cannot be restored/);
    expect(code).to.equal(1);
  });
});
