import { expect } from 'chai';
import { PasswordError } from '../../src/c2s/negotiation/sasl/credentials.ts';
import { type AccountChanges, register } from '../../src/extensions/register.ts';
import type { Jid } from '../../src/protocol/jid.ts';
import type { Session } from '../../src/routing/session.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench, errorText } from './bench.ts';

describe('In-Band Registration (XEP-0077)', () => {
  let done: string[] = [];
  let allowed = true;
  let fault: Error | undefined;
  const bench = new Bench(({ storage, accounts }) => {
    const registrar: AccountChanges = {
      async changePassword(account: Jid, password: string, keep: Session) {
        if (fault) throw fault;
        done.push(`${account} has the password ${password}, ${keep.jid} stays`);
      },
      async remove(account: Jid, removed: () => void) {
        await storage.accounts.remove(account.toString());
        accounts.forget(account.toString());
        removed();
        done.push(`${account} is gone`);
      },
    };
    return { extensions: [register(registrar, { passwordChange: allowed, accountRemoval: allowed })] };
  });

  beforeEach(() => {
    done = [];
    allowed = true;
    fault = undefined;
  });

  const set = (session: StubSession, content: string, to = '') =>
    bench.asks(session, `<iq type='set' id='r' ${to}><query xmlns='jabber:iq:register'>${content}</query></iq>`);
  const fields = (username: string, password: string) =>
    `<username>${username}</username><password>${password}</password>`;

  it('tells who is registered, but no password', async () => {
    const juliet = await bench.user();
    for (const to of ['', `to='localhost'`]) {
      const [answer] = await bench.asks(juliet, `<iq type='get' id='r' ${to}><query xmlns='jabber:iq:register'/></iq>`);
      expect(answer).to.contain('<query xmlns="jabber:iq:register"><registered/>');
      expect(answer).to.contain(`<username>${juliet.account.jid.local}</username><password/></query>`);
    }
  });

  it('changes the password (XEP-0077 §3.3)', async () => {
    const juliet = await bench.user();
    const { local } = juliet.account.jid;
    for (const to of ['', `to='localhost'`]) {
      expect((await set(juliet, fields(local.toUpperCase(), 'a &amp; b'), to))[0]).to.contain('type="result"/>');
      expect(done.splice(0)).to.deep.equal([`${juliet.account.key} has the password a & b, ${juliet.jid} stays`]);
    }
  });

  const wrong: readonly (readonly [string, (local: string) => string])[] = [
    ['nothing', () => ''],
    ['no username', () => '<password>secret</password>'],
    ['an empty username', () => fields('', 'secret')],
    ['no password', (local) => `<username>${local}</username>`],
    ['an empty password', (local) => fields(local, '')],
    ['another username', () => fields('romeo', 'secret')],
    ['no username at all', () => fields('a@b/c', 'secret')],
    ['two passwords', (local) => `${fields(local, 'one')}<password>two</password>`],
    ['fields of another namespace', (local) => `<x xmlns='urn:x'>${fields(local, 'secret')}</x>`],
  ];
  for (const [what, content] of wrong) {
    it(`refuses ${what}`, async () => {
      const juliet = await bench.user();
      expect((await set(juliet, content(juliet.account.jid.local)))[0]).to.match(errorText('modify', 'bad-request'));
      expect(done).to.deep.equal([]);
    });
  }

  it('passes on that a password is none', async () => {
    const juliet = await bench.user();
    fault = new PasswordError('too short');
    const [answer] = await set(juliet, fields(juliet.account.jid.local, 'x'));
    expect(answer).to.match(errorText('modify', 'not-acceptable'));
  });

  it('removes the account, and says so to a client that is about to go (XEP-0077 §3.2)', async () => {
    const juliet = await bench.user();
    const answers = await set(juliet, '<remove/>');
    expect(answers).to.deep.equal([`<iq from="${juliet.account.key}" to="${juliet.jid}" id="r" type="result"/>`]);
    expect(done).to.deep.equal([`${juliet.account.key} is gone`]);
    expect(await bench.storage.accounts.load(juliet.account.key)).to.equal(undefined);
  });

  it('removes nothing if <remove/> does not come alone', async () => {
    const juliet = await bench.user();
    for (const content of ['<remove/><remove/>', `<remove/>${fields('a', 'b')}`]) {
      expect((await set(juliet, content))[0]).to.match(errorText('modify', 'bad-request'));
    }
    expect(done).to.deep.equal([]);
  });

  it('does neither if the operator does not want it', async () => {
    allowed = false;
    bench.rebuild();
    const juliet = await bench.user();
    for (const content of ['<remove/>', fields(juliet.account.jid.local, 'secret')]) {
      expect((await set(juliet, content))[0]).to.match(errorText('cancel', 'not-allowed'));
    }
    expect(done).to.deep.equal([]);
  });

  it('is nothing for others: not another account, not another server', async () => {
    const juliet = await bench.user();
    const romeo = await bench.account('romeo');
    expect((await set(juliet, '<remove/>', `to='${romeo.key}'`))[0]).to.match(
      errorText('cancel', 'service-unavailable'),
    );
    const remote = `<iq type='set' id='r' from='${juliet.jid}' to='localhost'><query xmlns='jabber:iq:register'><remove/></query></iq>`;
    await bench.arrives(remote);
    expect(juliet.taken()[0]).to.match(errorText('cancel', 'service-unavailable'));
    expect(done).to.deep.equal([]);
  });
});
