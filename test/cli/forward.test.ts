import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { Account } from '../../src/routing/account.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

/** What setting, listing and removing forwards must do, whether the server runs or not. */
function forwardLife(workplace: Workplace): void {
  it('are set, listed and removed', async () => {
    for (const jid of ['romeo@localhost', 'juliet@localhost', 'nurse@localhost']) {
      await workplace.done('user', 'add', jid, '--password', 'pencil');
    }
    expect(await workplace.done('forward', 'list')).to.equal('');
    const out = await workplace.done('forward', 'set', 'romeo@localhost', 'juliet@elsewhere.example/balcony');
    expect(out).to.equal('Messages to romeo@localhost are now forwarded to juliet@elsewhere.example/balcony.\n');
    await workplace.done('forward', 'set', 'Juliet@localhost', 'nurse@localhost');
    expect(await workplace.done('forward', 'list')).to.equal(
      'juliet@localhost  nurse@localhost\nromeo@localhost   juliet@elsewhere.example/balcony\n',
    );
    expect(await workplace.done('forward', 'rm', 'romeo@localhost')).to.equal(
      'Messages to romeo@localhost are no longer forwarded.\n',
    );
    expect(JSON.parse(await workplace.done('forward', 'list', '--json'))).to.deep.equal({
      forwards: [{ jid: 'juliet@localhost', target: 'nurse@localhost' }],
    });
  });

  for (const [args, code, says] of [
    [['set', 'nobody@localhost', 'romeo@localhost'], 5, /no account nobody@localhost/],
    [['rm', 'nobody@localhost'], 5, /no account/],
    [['set', 'romeo@localhost', 'romeo@localhost/phone'], 2, /to itself/],
    [['set', 'romeo@localhost', 'a@b@c'], 2, /not an address/],
    [['set', 'romeo@elsewhere.example', 'romeo@localhost'], 5, /not served here/],
    [['set', 'romeo@localhost'], 2, /Not enough/],
    [[], 2, /A command is missing/],
  ] as const) {
    it(`end with ${code}: forward ${args.join(' ')}`, async () => {
      await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
      const outcome = await workplace.run(['forward', ...args]);
      expect(outcome.err).to.match(says);
      expect(outcome.code).to.equal(code);
      expect(await workplace.done('forward', 'list')).to.equal('');
    });
  }
}

describe('forwards of a stopped server', () => {
  const workplace = new Workplace();
  beforeEach(() => workplace.configure());

  forwardLife(workplace);
});

describe('forwards of a running server', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    server = await RunningAdministration.start(workplace.path('data'));
  });
  afterEach(() => server.stop());

  forwardLife(workplace);

  it('count at once for accounts in memory; others are read again', async () => {
    await workplace.done('user', 'add', 'romeo@localhost', '--password', 'pencil');
    await workplace.done('user', 'add', 'juliet@localhost', '--password', 'pencil');
    const romeo = new Account(Jid.parse('romeo@localhost'), { roster: [], rosterVersion: 0, blocked: [] });
    server.known.set('romeo@localhost', romeo);
    server.forgotten.length = 0;
    await workplace.done('forward', 'set', 'romeo@localhost', 'juliet@localhost');
    await workplace.done('forward', 'set', 'juliet@localhost', 'x.example');
    expect(romeo.forwardTo?.toString()).to.equal('juliet@localhost');
    expect(server.forgotten).to.deep.equal(['juliet@localhost']);
    await workplace.done('forward', 'rm', 'romeo@localhost');
    expect(romeo.forwardTo).to.equal(undefined);
  });
});
