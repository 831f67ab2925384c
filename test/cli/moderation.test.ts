import { expect } from 'chai';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;

/** What blocking and suspending must do, whether the server runs or not. */
function moderationLife(workplace: Workplace): void {
  const done = async (...args: string[]) => (await workplace.done(...args)).replaceAll(time, 'TIME');

  it('blocks and unblocks domains', async () => {
    expect(await done('block', 'Spam.example', '--reason', 'a\u202elot')).to.equal('spam.example is blocked.\n');
    expect(await done('block', '*.spam.example')).to.equal('*.spam.example is blocked.\n');
    expect(await done('blocked')).to.equal(
      '*.spam.example  since TIME\nspam.example    since TIME  a\\u202elot\ndenied.example  by the configuration\n',
    );
    expect(await done('unblock', 'spam.example')).to.equal('spam.example is no longer blocked.\n');
    const { domains, configuration } = JSON.parse(await workplace.done('blocked', '--json'));
    expect(domains).to.have.length(1);
    expect(configuration).to.deep.equal(['denied.example']);
    expect((await workplace.run(['unblock', 'spam.example'])).code).to.equal(5);
    expect((await workplace.run(['block', 'localhost'])).code).to.equal(2);
    expect((await workplace.run(['block', 'a@b'])).code).to.equal(2);
  });

  it('shows an account, and approves only those that wait', async () => {
    const jid = 'juliet@localhost';
    expect(await done('user', 'show', jid)).to.match(
      /^registered {9}by the operator\nlast online +never\ncontacts +0\n/,
    );
    expect(JSON.parse(await workplace.done('user', 'show', jid, '--roster', '--json'))).to.include({
      jid,
      contacts: 0,
    });
    expect(await done('user', 'approve')).to.equal('');
    expect((await workplace.run(['user', 'approve', jid])).code).to.equal(5);
    expect((await workplace.run(['user', 'reject', jid])).code).to.equal(5);
    expect((await workplace.run(['user', 'show', 'nobody@localhost'])).code).to.equal(5);
  });

  it('suspends and resumes accounts', async () => {
    const jid = 'juliet@localhost';
    expect(await done('user', 'suspend', jid, '--reason', 'a reason')).to.equal(`${jid} is suspended.\n`);
    expect(await done('user', 'suspend')).to.equal(`${jid}  since TIME    a reason\n`);
    expect(await done('user', 'show', jid)).to.match(/^suspended +since TIME: a reason\n$/m);
    expect(await done('user', 'suspend', jid, '--remove-after', '14d')).to.equal(
      `${jid} is suspended, and is removed on TIME.\n`,
    );
    expect(await done('user', 'show', jid)).to.match(/^suspended +since TIME\nremoved on +TIME\n$/m);
    expect(JSON.parse(await workplace.done('user', 'suspend', '--json')).suspensions).to.have.length(1);
    expect(await done('user', 'resume', jid)).to.equal(`${jid} is no longer suspended.\n`);
    expect(await done('user', 'suspend')).to.equal('');
    expect(await done('user', 'show', jid)).not.to.contain('suspended');
    expect((await workplace.run(['user', 'resume', jid])).code).to.equal(5);
    expect((await workplace.run(['user', 'suspend', 'nobody@localhost'])).code).to.equal(5);
    expect((await workplace.run(['user', 'suspend', jid, '--remove-after', 'soon'])).code).to.equal(2);
  });
}

const settings = { s2s: { deny: ['denied.example'] }, authentication: { scramIterations: 4096 } };

describe('Moderation on a running server', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure(settings);
    server = await RunningAdministration.start(workplace.path('data'));
    server.denied = settings.s2s.deny;
    await server.storage.accounts.create('juliet@localhost', { scram: {} });
  });
  afterEach(() => server.stop());
  moderationLife(workplace);

  it('takes effect at once', async () => {
    await workplace.done('block', 'spam.example');
    expect(server.blocked).to.deep.equal(['spam.example']);
    await workplace.done('unblock', 'spam.example');
    expect(server.blocked).to.deep.equal([]);
  });

  it('shows that a user is online', async () => {
    server.connect('juliet@localhost/balcony');
    expect(await workplace.done('user', 'show', 'juliet@localhost')).to.match(/^last online +now$/m);
  });

  it('names the block lists that have an address', async () => {
    expect(await workplace.done('blocked', 'spam@far.example')).to.equal('xmpp:lists.example?;node=a\n');
  });
});

describe('Moderation on a stopped server', () => {
  const workplace = new Workplace();
  beforeEach(async () => {
    workplace.configure(settings);
    const onFatal = (error: Error) => expect.fail(error.message);
    const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal });
    await storage.accounts.create('juliet@localhost', { scram: {} });
    await storage.close();
  });
  moderationLife(workplace);
});
