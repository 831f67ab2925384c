import { expect } from 'chai';
import { hashOfToken } from '../../src/c2s/invitations.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const romeo = 'romeo@localhost';
const web = { publicUrl: 'https://localhost' };

/** Gives the tests access to the store of the server. */
type InStorage = <T>(work: (storage: Storage) => Promise<T>) => Promise<T>;

function invitationLife(workplace: Workplace, inStorage: InStorage): void {
  const made = async (...args: string[]): Promise<{ id: number; landingUrl: string; uri?: string; expires: string }> =>
    JSON.parse(await workplace.done(...args, '--json'));

  it('are made, listed and revoked', async () => {
    await workplace.done('user', 'add', romeo, '--password', 'pencil');
    const { id, uri, landingUrl, expires } = await made('invite', 'create', '--user', 'Juliet', '--contact', romeo);
    const [, token = ''] = /^https:\/\/localhost\/invite\/(\w{32})$/.exec(landingUrl) ?? [];
    expect(uri).to.equal(`xmpp:juliet@localhost?register;preauth=${token}`);
    expect(Date.parse(expires)).to.be.above(Date.now());
    const found = await inStorage(({ invitations }) => invitations.find(hashOfToken(token)));
    expect(found).to.include({ id, kind: 'account', username: 'juliet', account: romeo, uses: 1 });
    await workplace.done('invite', 'create', '--uses', '5', '--expires', '2h');
    expect(await workplace.done('invite', 'list')).to.match(
      new RegExp(
        `^${id} +account at localhost +as juliet with ${romeo} +once +until .*\\n\\d+ +account at localhost +5 times `,
      ),
    );
    await workplace.done('invite', 'revoke', String(id));
    expect((await workplace.run(['invite', 'revoke', String(id)])).code).to.equal(5);
    const { invitations } = JSON.parse(await workplace.done('invite', 'list', '--json'));
    expect(invitations).to.have.length(1);
  });

  it('print a link for people', async () => {
    await workplace.done('user', 'add', romeo, '--password', 'pencil');
    expect(await workplace.done('invite', 'create')).to.match(
      /^For browsers +https:\/\/localhost\/invite\/\w{32}\nFor apps +xmpp:localhost\?register;preauth=\w{32}\nUntil .*\nTo revoke it +ampere invite revoke \d+\n$/,
    );
    expect(await workplace.done('user', 'reset-link', romeo)).to.match(
      /^For browsers +https:\/\/localhost\/reset\/\w{32}\nUntil/,
    );
  });

  for (const [args, code, says] of [
    [['invite', 'create', '--contact', 'nobody@localhost'], 5, /no account nobody@localhost/],
    [['invite', 'create', '--domain', 'elsewhere.example'], 5, /not served here/],
    [['invite', 'create', '--user', 'a@b'], 2, /cannot be a user name/],
    [['invite', 'create', '--user', 'romeo'], 5, /romeo@localhost exists already/],
    [['invite', 'create', '--user', 'a', '--uses', '2'], 2, /only once/],
    [['invite', 'create', '--expires', 'soon'], 2, /--expires/],
    [['user', 'reset-link', 'nobody@localhost'], 5, /no account nobody@localhost/],
  ] as const) {
    it(`are not made by ${args.join(' ')}`, async () => {
      await workplace.done('user', 'add', romeo, '--password', 'pencil');
      const { code: actual, err } = await workplace.run(args);
      expect(err).to.match(says);
      expect(actual).to.equal(code);
    });
  }
}

describe('invitations of a running server', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure({ web });
    server = await RunningAdministration.start(workplace.path('data'));
  });
  afterEach(() => server.stop());

  invitationLife(workplace, (work) => work(server.storage));
});

describe('invitations of a stopped server', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure({ web, authentication: { scramIterations: 4096 } }));

  invitationLife(workplace, async (work) => {
    const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal: () => {} });
    try {
      return await work(storage);
    } finally {
      await storage.close();
    }
  });

  it('are not made where nobody can use them, but reset links are', async () => {
    workplace.configure({ web, registration: { invitations: 'nobody' } });
    await workplace.done('user', 'add', romeo, '--password', 'pencil');
    const { code, err } = await workplace.run(['invite', 'create']);
    expect(err).to.match(/registration\.invitations is "nobody"/);
    expect(code).to.equal(2);
    await workplace.done('user', 'reset-link', romeo);
  });
});
