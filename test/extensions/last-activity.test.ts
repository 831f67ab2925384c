import { expect } from 'chai';
import { lastActivity } from '../../src/extensions/last-activity.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { Bench, errorText } from './bench.ts';

describe('Last Activity (XEP-0012)', () => {
  let fault: StorageError | undefined;
  const bench = new Bench(({ sessions, storage, clock, log }) => {
    const store = {
      setLastSeen: (jid: string, atMs: number, status: string) =>
        fault ? Promise.reject(fault) : storage.accounts.setLastSeen(jid, atMs, status),
    };
    return { extensions: [lastActivity({ sessions, store, clock, log })] };
  });

  beforeEach(() => {
    fault = undefined;
  });

  const get = (to: string) => `<iq type='get' id='l' ${to && `to='${to}'`}><query xmlns='jabber:iq:last'/></iq>`;
  const seconds = (answers: readonly string[]) => /seconds="(\d+)"/.exec(answers[0] ?? '')?.[1];

  it('tells anybody how long the server is up, whatever the wall clock says', async () => {
    const juliet = await bench.user();
    bench.clock.advance(3_725_900);
    bench.clock.jumpTo(0);
    expect(seconds(await bench.asks(juliet, get('localhost')))).to.equal('3725');
  });

  it('is 0 while somebody is there', async () => {
    const juliet = await bench.user();
    expect(seconds(await bench.asks(juliet, get('')))).to.equal('0');
    const romeo = await bench.user('romeo', '<presence/>');
    await bench.befriend(juliet.account, romeo.account);
    bench.clock.advance(10_000);
    expect(seconds(await bench.asks(juliet, get(romeo.account.key)))).to.equal('0');
  });

  it('tells friends when the last session ended, also after a restart', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo', '<presence/>');
    const second = await bench.session(romeo.account, 'second');
    await bench.befriend(juliet.account, romeo.account);
    bench.ends(romeo);
    bench.clock.advance(1000);
    bench.ends(second);
    bench.clock.advance(903_999);
    expect(seconds(await bench.asks(juliet, get(romeo.account.key)))).to.equal('903');
    bench.rebuild();
    const account = await bench.routing.accounts.get(juliet.account.jid);
    const again = account && (await bench.session(account, 'again'));
    expect(again && seconds(await bench.asks(again, get(romeo.account.key)))).to.equal('903');
  });

  it('shows the status that was left behind, none if there was no goodbye', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo', '<presence/>');
    const second = await bench.session(romeo.account, 'second', '<presence/>');
    await bench.befriend(juliet.account, romeo.account);
    const shown = async () => (await bench.asks(juliet, get(romeo.account.key)))[0];
    await bench.asks(second, "<presence type='unavailable'><status>Heading Home</status></presence>");
    bench.ends(romeo);
    bench.ends(second);
    expect(await shown()).to.contain('<query xmlns="jabber:iq:last" seconds="0">Heading Home</query>');
    bench.ends(await bench.session(romeo.account, 'third', '<presence/>'));
    expect(await shown()).to.contain('<query xmlns="jabber:iq:last" seconds="0"/>');
  });

  it('tells how long nobody is available though a session goes on, with the status that was left (XEP-0012 §3)', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo', '<presence/>');
    const second = await bench.session(romeo.account, 'second', '<presence/>');
    await bench.befriend(juliet.account, romeo.account);
    const shown = async () =>
      /<query.*(?=<\/iq>)/.exec((await bench.asks(juliet, get(romeo.account.key)))[0] ?? '')?.[0];
    await bench.does(second, "<presence type='unavailable'><status>early</status></presence>");
    bench.clock.advance(1000);
    expect(await shown()).to.equal('<query xmlns="jabber:iq:last" seconds="0"/>');
    await bench.does(romeo, "<presence type='unavailable'><status>Do not disturb</status></presence>");
    bench.clock.advance(5000);
    expect(await shown()).to.equal('<query xmlns="jabber:iq:last" seconds="5">Do not disturb</query>');
    await bench.does(second, '<presence/>');
    expect(await shown()).to.equal('<query xmlns="jabber:iq:last" seconds="0"/>');
    bench.ends(second);
    bench.clock.advance(3000);
    expect(await shown()).to.match(/seconds="3"/);
    bench.ends(romeo);
    bench.clock.advance(7000);
    expect(await shown()).to.equal('<query xmlns="jabber:iq:last" seconds="7">Do not disturb</query>');
  });

  it('never tells of the future', async () => {
    const juliet = await bench.user();
    const romeo = await bench.account('romeo');
    await bench.befriend(juliet.account, romeo);
    romeo.lastSeen = { atMs: bench.clock.nowMs() + 60_000, status: '' };
    expect(seconds(await bench.asks(juliet, get(romeo.key)))).to.equal('0');
  });

  it('does not know about those who were never there', async () => {
    const juliet = await bench.user();
    const romeo = await bench.account('romeo');
    await bench.befriend(juliet.account, romeo);
    expect((await bench.asks(juliet, get(romeo.key)))[0]).to.match(errorText('cancel', 'item-not-found'));
  });

  it('does not show friends a session that has sent no presence (RFC 6121 §11)', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo');
    await bench.befriend(juliet.account, romeo.account);
    expect((await bench.asks(juliet, get(romeo.account.key)))[0]).to.match(errorText('cancel', 'item-not-found'));
    expect(seconds(await bench.asks(romeo, get('')))).to.equal('0');
  });

  it('gives strangers the answer of no account, and does not let them ask a resource (XEP-0012 §4)', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo', '<presence/>');
    for (const resource of ['', '/home', '/nowhere']) {
      const [there] = await bench.asks(juliet, get(`${romeo.account.key}${resource}`));
      const [nowhere] = await bench.asks(juliet, get(`romeo0@localhost${resource}`));
      expect(there).to.match(errorText('cancel', 'service-unavailable'));
      expect(there?.replace(/romeo\d+/, '')).to.equal(nowhere?.replace(/romeo\d+/, ''));
    }
    expect(romeo.taken()).to.deep.equal([]);
  });

  it('lets friends ask a resource', async () => {
    const juliet = await bench.user();
    const romeo = await bench.user('romeo', '<presence/>');
    await bench.befriend(juliet.account, romeo.account);
    await bench.does(juliet, get(romeo.jid.toString()));
    expect(romeo.taken()).to.have.length(1);
  });

  it('is on the disk a while after the session has ended, or when the server ends', async () => {
    const saved = async (key: string) => (await bench.storage.accounts.load(key))?.lastSeen;
    const [juliet, romeo] = [await bench.user(), await bench.user('romeo')];
    bench.ends(juliet);
    expect(await saved(juliet.account.key)).to.equal(undefined);
    bench.clock.advance(2000);
    expect(await saved(juliet.account.key)).to.deep.equal({ atMs: bench.clock.nowMs() - 2000, status: '' });
    bench.ends(romeo);
    for (const extension of bench.routing.hooks.extensions) await extension.closing?.();
    expect(await saved(romeo.account.key)).to.deep.equal({ atMs: bench.clock.nowMs(), status: '' });
  });

  it('is known of an account that was forgotten before it was on the disk', async () => {
    const [juliet, romeo] = [await bench.user(), await bench.user('romeo', '<presence/>')];
    await bench.befriend(juliet.account, romeo.account);
    bench.ends(romeo);
    bench.routing.accounts.forget(romeo.account.key);
    bench.clock.advance(1999);
    expect(seconds(await bench.asks(juliet, get(romeo.account.key)))).to.equal('1');
  });

  it('goes on without storage, and says so unless the account was removed', async () => {
    // What other tests have left.
    bench.clock.advance(2000);
    for (const [code, lines] of [
      ['busy', 1],
      ['not-found', 0],
    ] as const) {
      fault = new StorageError(code, 'for the test');
      bench.log.lines.length = 0;
      bench.ends(await bench.user());
      bench.clock.advance(2000);
      await new Promise((resolve) => setImmediate(resolve));
      expect(bench.log.lines, code).to.have.length(lines);
    }
  });
});
