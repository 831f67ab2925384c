import { chownSync, existsSync, statSync } from 'node:fs';
import { expect } from 'chai';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const fail = (error: Error) => {
  throw error;
};

/** Writes down that an account was used on a device with a token, as the server would have done. */
async function seeDevice({ accounts, devices }: Storage, owner: string): Promise<void> {
  const { passwordVersion = -1 } = (await accounts.credentials(owner)) ?? {};
  const atMs = Date.UTC(2026, 0, 1);
  const names = { software: 'AwesomeXMPP', name: 'Pocket' };
  const device = { owner, key: 'the-phone', atMs, keepUntilMs: Number.MAX_SAFE_INTEGER, ...names };
  const token = { mechanism: 'X', secret: Buffer.of(1), issuedAtMs: atMs, expiresAtMs: Number.MAX_SAFE_INTEGER };
  await devices.issueToken({ ...device, passwordVersion }, token);
}

/** Works with the store of the server. */
type InStorage = (work: (storage: Storage) => Promise<void>) => Promise<void>;

function userLife(workplace: Workplace, inStorage: InStorage): void {
  const romeo = 'romeo@localhost';

  it('creates, lists, changes and removes accounts', async () => {
    expect(await workplace.done('user', 'add', 'Romeo@LOCALHOST', '--password', 'pencil')).to.equal(
      'romeo@localhost was created.\n',
    );
    expect(
      (await workplace.run(['user', 'add', 'juliet@localhost', '--password-stdin'], { stdin: 'pen\r\n' })).code,
    ).to.equal(0);
    expect(await workplace.done('user', 'list')).to.equal('juliet@localhost\nromeo@localhost\n');
    expect(JSON.parse(await workplace.done('user', 'list', '--json', '--domain', 'localhost'))).to.deep.equal({
      users: ['juliet@localhost', romeo],
    });
    await workplace.done('user', 'passwd', romeo, '--password', 'crayon');
    await workplace.done('user', 'rm', romeo);
    expect(await workplace.done('user', 'list')).to.equal('juliet@localhost\n');
  });

  it('says with exit code 5 what is there already and what is not', async () => {
    await workplace.done('user', 'add', romeo, '--password', 'pencil');
    const again = await workplace.run(['user', 'add', romeo, '--password', 'pencil']);
    expect(again).to.include({ code: 5, err: 'ampere: romeo@localhost already exists.\n' });
    for (const command of [
      ['rm', 'nobody@localhost'],
      ['passwd', 'nobody@localhost', '--password', 'x'],
    ]) {
      const outcome = await workplace.run(['user', ...command]);
      expect(outcome).to.include({ code: 5, err: 'ampere: There is no account nobody@localhost.\n' });
    }
    const list = await workplace.run(['user', 'list', '--domain', 'example.org']);
    expect(list.code).to.equal(5);
  });

  it('lists the devices of an account, and revokes their access', async () => {
    await workplace.done('user', 'add', romeo, '--password', 'pencil');
    expect(await workplace.done('user', 'devices', romeo)).to.equal('');
    await inStorage((storage) => seeDevice(storage, romeo));
    expect(await workplace.done('user', 'devices', romeo)).to.equal(
      'the-phone  password, token  last seen 2026-01-01T00:00:00.000Z  AwesomeXMPP on Pocket\n',
    );
    const { devices } = JSON.parse(await workplace.done('user', 'devices', romeo, '--json'));
    expect(devices).to.have.length(1);
    expect(devices[0]).to.include({ key: 'the-phone', knowsPassword: true, hasToken: true, connected: false });
    expect(await workplace.done('user', 'revoke', romeo, 'the-phone')).to.equal(
      'The sessions and tokens of the-phone were removed.\nIt knows the password: change it with "ampere user passwd romeo@localhost" to keep the device out.\n',
    );
    await workplace.done('user', 'passwd', romeo, '--password', 'crayon');
    expect(await workplace.done('user', 'devices', romeo)).to.equal('');
    expect(await workplace.done('user', 'revoke', romeo, 'the-phone')).to.equal(
      'The sessions and tokens of the-phone were removed.\n',
    );
    const again = await workplace.run(['user', 'revoke', romeo, 'the-phone']);
    expect(again).to.include({ code: 5, err: 'ampere: romeo@localhost has no device the-phone.\n' });
  });

  it('lists nobody as nothing', async () => {
    await workplace.done('user', 'add', romeo, '--password', 'pencil');
    await workplace.done('user', 'rm', romeo);
    expect(await workplace.done('user', 'list')).to.equal('');
  });
}

describe('accounts of a stopped server', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure());

  userLife(workplace, async (work) => {
    const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal: fail });
    await work(storage).finally(() => storage.close());
  });

  it('are in a data directory that is private', async () => {
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    expect(statSync(workplace.path('data')).mode & 0o777).to.equal(0o700);
    expect(existsSync(workplace.path('data/ampere.pid'))).to.equal(false);
  });

  it('cannot be reached while something that does not answer has the data: exit code 3', async () => {
    const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal: fail });
    try {
      const { code, err } = await workplace.run(['user', 'list']);
      expect(err).to.match(/in use by process \d+.*does not answer/);
      expect(code).to.equal(3);
    } finally {
      await storage.close();
    }
  });

  it("are left alone by root when they are another user's", async function () {
    if (process.getuid?.() !== 0) this.skip();
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    chownSync(workplace.path('data'), 12_345, 12_345);
    const { code, err } = await workplace.run(['user', 'list']);
    expect(err).to.match(/belongs to user 12345: run this as that user/);
    expect(code).to.equal(1);
  });
});

describe('accounts of a running server', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    server = await RunningAdministration.start(workplace.path('data'));
  });
  afterEach(() => server.stop());

  userLife(workplace, (work) => work(server.storage));

  it('are forgotten by its memory when they change', async () => {
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    await workplace.done('user', 'rm', 'romeo@localhost');
    expect(server.forgotten).to.deep.equal(['romeo@localhost', 'romeo@localhost']);
  });

  it('lose their sessions with their password or themselves', async () => {
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    const orchard = server.connect('romeo@localhost/orchard');
    const tomb = server.connect('juliet@localhost/tomb');
    await workplace.done('user', 'passwd', 'romeo@localhost', '--password', 'crayon');
    expect(orchard.closedBy?.condition).to.equal('reset');
    await workplace.done('user', 'rm', 'romeo@localhost');
    expect(orchard.closedBy?.condition).to.equal('not-authorized');
    expect(tomb.closedBy).to.equal(undefined);
  });

  it('have passwords that appear in no log', async () => {
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil-7f3a');
    await workplace.done('user', 'passwd', 'romeo@localhost', '--password', 'crayon-91bc');
    await workplace.run(['user', 'add', 'romeo@localhost', '--password', 'eraser-55aa']);
    expect(server.log.lines.join('\n'))
      .to.match(/romeo@localhost/)
      .and.not.match(/pencil|crayon|eraser/);
  });
});
