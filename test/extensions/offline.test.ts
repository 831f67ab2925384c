import { expect } from 'chai';
import { offline } from '../../src/extensions/offline/offline.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import type { Account } from '../../src/routing/account.ts';
import type { StanzaFilter } from '../../src/routing/extension.ts';
import type { MessageStore } from '../../src/routing/message-store.ts';
import type { OfflineStore } from '../../src/storage/offline.ts';
import { StorageError, type StorageErrorCode } from '../../src/storage/storage-error.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench } from './bench.ts';

const sender = 'romeo@example.net/orchard';

function messageFor({ key }: Account, body: string, more = ''): Stanza {
  return readStanza(`<message from='${sender}' to='${key}'><body>${body}</body>${more}</message>`);
}

describe('offline messages (XEP-0160)', () => {
  let fault: { during: 'append' | 'list' | 'remove'; error: StorageError } | undefined;
  let blocked: string | undefined;
  let messages: MessageStore;
  const failing = <T>(during: 'append' | 'list' | 'remove', run: () => Promise<T>): Promise<T> =>
    fault?.during === during ? Promise.reject(fault.error) : run();

  const bench = new Bench((core) => {
    const { offline: stored } = core.storage;
    const store: OfflineStore = {
      ...stored,
      append: (...given) => failing('append', () => stored.append(...given)),
      list: (...given) => failing('list', () => stored.list(...given)),
      remove: (...given) => failing('remove', () => stored.remove(...given)),
    };
    const filter: StanzaFilter = {
      inbound: ({ from }) => (from?.bare().toString() === blocked ? 'refuse' : undefined),
    };
    const extension = offline({
      ...core,
      store,
      options: { maxMessages: 250, maxBytes: 100_000, toArchiveClients: false },
    });
    if (extension.messageStore) messages = extension.messageStore;
    return { extensions: [{ name: 'filter', claims: [], filter }, extension] };
  });

  beforeEach(() => {
    fault = undefined;
    blocked = undefined;
  });

  /** Sends messages to an account and waits until they are kept. */
  async function store(account: Account, ...bodies: string[]): Promise<void> {
    const { messages: before } = await bench.storage.offline.count(account.key);
    for (const body of bodies) {
      await bench.arrives(`<message from='${sender}' to='${account.key}' type='chat'><body>${body}</body></message>`);
    }
    await until(async () => (await bench.storage.offline.count(account.key)).messages === before + bodies.length);
  }

  async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await happened())) await new Promise((resolve) => setImmediate(resolve));
  }

  async function kept(account: Account): Promise<number> {
    return (await bench.storage.offline.count(account.key)).messages;
  }

  const bodiesOf = (stanzas: readonly string[]) =>
    stanzas.flatMap((text) => /<body>(.*?)<\/body>/.exec(text)?.[1] ?? []);
  const pingOf = (stanzas: readonly string[]) => stanzas.filter((text) => text.includes('urn:xmpp:ping'));

  /** Becomes available and waits until the last page is sent. */
  async function comes(account: Account, resource = 'home', expected = 1): Promise<StubSession> {
    const session = await bench.session(account, resource);
    await bench.does(session, '<presence/>');
    await until(() => session.sent.filter(({ kind }) => kind === 'message').length >= expected);
    await until(() => session.sent.some(({ kind }) => kind === 'iq'));
    return session;
  }

  /** Answers every ping that came, as a client does. */
  async function answers(session: StubSession): Promise<void> {
    const pings = session.sent.filter(({ kind, type }) => kind === 'iq' && type === 'get');
    for (const { id } of pings) await bench.does(session, `<iq type='result' id='${id}' to='localhost'/>`);
  }

  it('is told of in service discovery, unless there is no room', () => {
    const { storage, clock, log, routing } = bench;
    const deps = { ...routing, store: storage.offline, clock, log };
    const announced = (maxMessages: number) =>
      offline({ ...deps, options: { maxMessages, maxBytes: 1000, toArchiveClients: false } }).disco?.domain;
    expect(announced(1)).to.deep.equal(['msgoffline']);
    expect(announced(0)).to.deep.equal([]);
  });

  it('gives messages to the next available session, stamped and in order, before anything else', async () => {
    const account = await bench.account();
    await store(account, 'one');
    bench.clock.advance(5000);
    await store(account, 'two');
    const session = await bench.session(account, 'home');
    await bench.does(session, '<presence/>');
    await bench.arrives(`<message from='${sender}' to='${account.key}'><body>live</body></message>`);
    await until(() => session.sent.some(({ payload }) => payload.bytes.includes('live')));
    const got = session.taken().filter((text) => !text.startsWith('<presence'));
    expect(bodiesOf(got)).to.deep.equal(['one', 'two', 'live']);
    expect(got[0]).to.equal(
      `<message from="${sender}" to="${account.key}" type="chat"><body>one</body>` +
        '<delay xmlns="urn:xmpp:delay" from="localhost" stamp="2026-01-01T00:00:00Z"/></message>',
    );
    expect(got[1]).to.contain('stamp="2026-01-01T00:00:05Z"');
    expect(got[2]).to.equal(
      `<iq from="localhost" to="${session.jid}" id="*" type="get"><ping xmlns="urn:xmpp:ping"/></iq>`,
    );
  });

  it('survives a restart', async () => {
    const { jid, key } = await bench.account();
    const before = await bench.routing.accounts.get(jid);
    if (before) await store(before, 'one');
    bench.rebuild();
    const account = await bench.routing.accounts.get(jid);
    if (!account) throw new Error(`${key} is gone`);
    expect(bodiesOf((await comes(account)).taken())).to.deep.equal(['one']);
  });

  it('forgets a message when the client has answered for it, and not before', async () => {
    const account = await bench.account();
    await store(account, 'one', 'two');
    const session = await comes(account, 'home', 2);
    expect(await kept(account)).to.equal(2);
    await answers(session);
    await until(async () => (await kept(account)) === 0);
  });

  it('takes an error for an answer, but nobody else’s', async () => {
    const account = await bench.account();
    await store(account, 'one');
    const session = await comes(account);
    const id = session.sent.find(({ kind }) => kind === 'iq')?.id;
    const stranger = await bench.user('mercutio');
    await bench.does(stranger, `<iq type='result' id='${id}' to='localhost'/>`);
    expect(await kept(account)).to.equal(1);
    await bench.does(session, `<iq type='error' id='${id}' to='localhost'><error type='cancel'/></iq>`);
    await until(async () => (await kept(account)) === 0);
  });

  it('asks again when there is no answer', async () => {
    const account = await bench.account();
    await store(account, 'one');
    const session = await comes(account);
    bench.clock.advance(60_000);
    await until(() => session.sent.filter(({ kind }) => kind === 'iq').length === 2);
    expect(await kept(account)).to.equal(1);
    await answers(session);
    await until(async () => (await kept(account)) === 0);
  });

  it('sends many messages page by page, at the pace of the network', async () => {
    const account = await bench.account();
    const bodies = Array.from({ length: 205 }, (_, n) => `m${n}`);
    await store(account, ...bodies);
    const session = await comes(account, 'home', 205);
    await until(() => session.sent.filter(({ kind }) => kind === 'iq').length === 3);
    expect(session.flushes).to.equal(2);
    await answers(session);
    await until(async () => (await kept(account)) === 0);
    expect(bodiesOf(session.taken())).to.deep.equal(bodies);
  });

  it('sends a large message when what went before has left', async () => {
    const account = await bench.account();
    const session = await bench.session(account, 'home');
    await store(account, 'small', 'x'.repeat(70_000), 'small again');
    const flushesBefore: number[] = [];
    session.sendStored = (stanza) => {
      flushesBefore.push(session.flushes);
      session.sendHeld(stanza);
    };
    await bench.does(session, '<presence/>');
    await until(() => flushesBefore.length === 3);
    expect(flushesBefore).to.deep.equal([0, 1, 2]);
  });

  it('waits for a client that has to acknowledge something before it is sent more', async () => {
    const account = await bench.account();
    await store(account, 'one', 'two', 'three');
    const session = await bench.session(account, 'home');
    session.crowded = true;
    await bench.does(session, '<presence/>');
    await until(() => session.sent.filter(({ kind }) => kind === 'message').length === 3);
    expect(session.flushes).to.equal(3);
  });

  it('gives them to one session only', async () => {
    const account = await bench.account();
    await store(account, 'one');
    const first = await comes(account);
    const second = await bench.session(account, 'second', '<presence/>');
    await answers(first);
    await until(async () => (await kept(account)) === 0);
    expect(bodiesOf(first.taken())).to.deep.equal(['one']);
    expect(bodiesOf(second.taken())).to.deep.equal([]);
  });

  it('gives what a lost session has not answered for to one that is there', async () => {
    const account = await bench.account();
    await store(account, 'one');
    const first = await comes(account);
    const second = await bench.session(account, 'second', '<presence/>');
    bench.ends(first);
    await until(() => second.sent.some(({ kind }) => kind === 'message'));
    await until(() => pingOf(second.sent.map(String)).length > 0);
    expect(await kept(account)).to.equal(1);
    await answers(second);
    await until(async () => (await kept(account)) === 0);
    expect(bodiesOf(second.taken())).to.deep.equal(['one']);
  });

  it('gives what a lost session has not answered for to the next one', async () => {
    const account = await bench.account();
    await store(account, 'one');
    bench.ends(await comes(account));
    expect(bodiesOf((await comes(account, 'next')).taken())).to.deep.equal(['one']);
  });

  it('ignores the answer of a session that is gone', async () => {
    const account = await bench.account();
    await store(account, 'one');
    const first = await comes(account);
    bench.ends(first);
    await store(account, 'two');
    await answers(first);
    const next = await comes(account, 'next', 1);
    expect(bodiesOf(next.taken())).to.include('two');
  });

  it('sends what was stored while it was at it', async () => {
    const account = await bench.account();
    await store(account, 'one');
    const session = await bench.session(account, 'home');
    await bench.does(session, '<presence/>');
    await messages.keep(messageFor(account, 'late'), account.jid);
    await until(() => bodiesOf(session.sent.map(String)).length === 2);
    await until(() => pingOf(session.sent.map(String)).length > 0);
    expect(bodiesOf(session.sent.map(String))).to.deep.equal(['one', 'late']);
  });

  it('sends what was stored after its recipient had come', async () => {
    const account = await bench.account();
    const session = await bench.session(account, 'home', '<presence/>');
    await messages.keep(messageFor(account, 'late'), account.jid);
    await until(() => pingOf(session.sent.map(String)).length > 0);
    expect(bodiesOf(session.taken())).to.deep.equal(['late']);
  });

  it('leaves sessions with a negative priority alone (RFC 6121 §8.5.2)', async () => {
    const account = await bench.account();
    await store(account, 'one');
    const session = await bench.session(account, 'home', '<presence><priority>-1</priority></presence>');
    await messages.keep(messageFor(account, 'two'), account.jid);
    expect(bodiesOf(session.taken())).to.deep.equal([]);
    await bench.does(session, '<presence/>');
    await until(() => pingOf(session.sent.map(String)).length > 0);
    expect(bodiesOf(session.taken())).to.deep.equal(['one', 'two']);
  });

  it('goes on with another session when the first has gone away without leaving', async () => {
    const account = await bench.account();
    await store(account, 'one');
    const first = await comes(account);
    await bench.does(first, `<presence type='unavailable'/>`);
    await store(account, 'two');
    const second = await bench.session(account, 'second', '<presence/>');
    await answers(first);
    await until(() => bodiesOf(second.sent.map(String)).length > 0);
    expect(bodiesOf(second.taken())).to.deep.equal(['two']);
    expect(bodiesOf(first.taken())).to.deep.equal(['one']);
  });

  it('keeps the delays of others and drops those that pretend to be ours (XEP-0203 §5)', async () => {
    const account = await bench.account();
    const theirs = `<delay xmlns='urn:xmpp:delay' from='example.net' stamp='2002-09-10T23:08:25Z'/>`;
    const forged = `<delay xmlns='urn:xmpp:delay' from='localhost' stamp='1970-01-01T00:00:00Z'/>`;
    await messages.keep(messageFor(account, 'one', theirs + forged), account.jid);
    const [text = ''] = (await comes(account)).taken().filter((stanza) => stanza.startsWith('<message'));
    expect(text).to.contain(`from='example.net'`);
    expect(text).to.contain('stamp="2026-');
    expect(text).not.to.contain('1970');
  });

  it('does not deliver what came from somebody who is blocked now (XEP-0191 §3.3)', async () => {
    const account = await bench.account();
    await store(account, 'one');
    blocked = 'romeo@example.net';
    const session = await comes(account, 'home', 0);
    expect(bodiesOf(session.sent.map(String))).to.deep.equal([]);
    await answers(session);
    await until(async () => (await kept(account)) === 0);
  });

  it('leaves a message it cannot read where it is, and says so', async () => {
    const account = await bench.account();
    const damaged = { from: sender, receivedAtMs: 0, bytes: Buffer.from('<message><body>half') };
    await bench.storage.offline.append(account.key, damaged, { maxMessages: 10, maxBytes: 1000 });
    await store(account, 'whole');
    const session = await comes(account);
    await answers(session);
    await until(async () => (await kept(account)) === 1);
    expect(bodiesOf(session.taken())).to.deep.equal(['whole']);
    expect(bench.log.alarms.splice(0)).to.have.length(1);
  });

  const failures: readonly (readonly [StorageErrorCode, string])[] = [
    ['quota', 'service-unavailable'],
    ['not-found', 'service-unavailable'],
  ];
  for (const [code, condition] of failures) {
    it(`answers ${condition} when storage says ${code}`, async () => {
      const account = await bench.account();
      fault = { during: 'append', error: new StorageError(code, 'for the test') };
      const refused = await messages.keep(messageFor(account, 'one'), account.jid).catch((error: unknown) => error);
      expect(refused).to.include({ name: 'StanzaError', condition });
    });
  }

  for (const code of ['full', 'busy', 'io'] as const) {
    it(`passes on the error of a storage that rejects with ${code}`, async () => {
      const account = await bench.account();
      const error = new StorageError(code, 'for the test');
      fault = { during: 'append', error };
      const refused = await messages.keep(messageFor(account, 'one'), account.jid).catch((cause: unknown) => cause);
      expect(refused).to.equal(error);
    });
  }

  it('refuses beyond the quota of the account', async () => {
    const account = await bench.account();
    const big = messageFor(account, 'x'.repeat(60_000));
    await messages.keep(big, account.jid);
    const refused = await messages.keep(big, account.jid).catch((error: unknown) => error);
    expect(refused).to.include({ condition: 'service-unavailable' });
    expect(await kept(account)).to.equal(1);
  });

  it('lets live messages through when the stored ones cannot be read, and tries again later', async () => {
    const account = await bench.account();
    await store(account, 'one');
    fault = { during: 'list', error: new StorageError('busy', 'for the test') };
    const session = await bench.session(account, 'home');
    await bench.does(session, '<presence/>');
    await until(() => bench.log.alarms.length > 0);
    bench.log.alarms.splice(0);
    await bench.arrives(`<message from='${sender}' to='${account.key}'><body>live</body></message>`);
    expect(bodiesOf(session.taken())).to.deep.equal(['live']);
    fault = undefined;
    expect(bodiesOf((await comes(account, 'next')).taken())).to.deep.equal(['one']);
  });

  it('gives nobody twice what a full disk does not let go, and removes it when there is room', async () => {
    const account = await bench.account();
    await store(account, 'one');
    fault = { during: 'remove', error: new StorageError('full', 'for the test') };
    const timers = bench.clock.pendingCount;
    const session = await comes(account);
    await answers(session);
    await until(() => bench.clock.pendingCount > timers);
    bench.ends(session);
    await store(account, 'two');
    expect(bodiesOf((await comes(account, 'next')).taken())).to.deep.equal(['two']);
    const [{ id = 0 } = {}] = await bench.storage.offline.list(account.key, 0, 1);
    expect(messages.isInFlight(account.key, id)).to.equal(true);
    fault = undefined;
    bench.clock.advance(5000);
    await until(async () => (await kept(account)) === 1);
  });

  it('delivers twice rather than not at all when removal fails for good', async () => {
    const account = await bench.account();
    await store(account, 'one');
    fault = { during: 'remove', error: new StorageError('io', 'for the test') };
    const session = await comes(account);
    await answers(session);
    await until(() => bench.log.alarms.length > 0);
    bench.log.alarms.splice(0);
    fault = undefined;
    bench.ends(session);
    expect(bodiesOf((await comes(account, 'next')).taken())).to.deep.equal(['one']);
  });
});
