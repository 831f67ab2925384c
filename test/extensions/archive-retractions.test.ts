import { expect } from 'chai';
import { archive } from '../../src/extensions/archive/archive.ts';
import { offline } from '../../src/extensions/offline/offline.ts';
import type { Account } from '../../src/routing/account.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench } from './bench.ts';

const everything = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
const options = { enabled: true, markers: true, keepDays: null, maxPerAccount: null };
const x = "<x xmlns='http://jabber.org/protocol/muc#user'/>";

describe('messages that are taken back (XEP-0424)', () => {
  /** What every replacement waits for, if the test has the disk in its hands. */
  let replacing: (() => Promise<void>) | undefined;
  const bench = new Bench(({ storage, routing, clock, log }) => {
    const store = storage.archive;
    const held: typeof store = { ...store, replace: async (...args) => replacing?.() ?? store.replace(...args) };
    const offlineOptions = { maxMessages: 100, maxBytes: 1_000_000, toArchiveClients: false };
    return {
      extensions: [
        offline({ ...routing, store: storage.offline, options: offlineOptions, clock, log }),
        archive({
          ...routing,
          options,
          storage: { archive: held, secrets: storage.secrets, disk: storage.disk },
          clock,
          log,
        }),
      ],
    };
  });

  beforeEach(() => {
    replacing = undefined;
  });

  async function two(): Promise<{ romeo: StubSession; juliet: StubSession }> {
    return { romeo: await bench.user('romeo', '<presence/>'), juliet: await bench.user('juliet', '<presence/>') };
  }

  const chat = (to: string, id: string, body: string, more = '', from = '') =>
    `<message ${from} to='${to}' type='chat' id='${id}'><body>${body}</body>${more}</message>`;
  const retraction = (to: string, target: string, more = '', from = '') =>
    `<message ${from} to='${to}' type='chat' id='r1'><retract xmlns='urn:xmpp:message-retract:1' id='${target}'/>${more}</message>`;

  /** What an archive has of each message: its body, or what has become of it. */
  async function contents(account: Account): Promise<string[]> {
    const rows = await rowsOf(account);
    return rows.map((text) => /<body>(.*)<\/body>/.exec(text)?.[1] ?? /<(retract\w*) /.exec(text)?.[1] ?? text);
  }

  async function rowsOf({ key }: Account): Promise<string[]> {
    const { archive: number = 0 } = (await bench.storage.archive.open(key)) ?? {};
    const rows = await bench.storage.archive.page(number, everything, 2000, 'first');
    return rows.map(({ bytes }) => bytes.toString());
  }

  it('leave a tombstone with the id and the time of the retraction, in both archives (XEP-0424 §5)', async () => {
    const { romeo, juliet } = await two();
    const originId = "<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>";
    await bench.does(romeo, chat(juliet.account.key, 'm1', 'alas', originId));
    await bench.does(romeo, retraction(juliet.account.key, 'o1'));
    for (const { account } of [romeo, juliet]) {
      expect(await contents(account)).to.deep.equal(['retracted', 'retract']);
      const [tombstone] = await rowsOf(account);
      expect(tombstone).to.match(
        new RegExp(
          `^<message .*from="${romeo.jid}".*>${originId}<retracted xmlns="urn:xmpp:message-retract:1" id="r1" stamp="[^"]+"/></message>$`,
        ),
      );
    }
    expect(juliet.taken()).to.have.length(2);
  });

  it('are found by the id of the message, by another device, and while the other end is absent', async () => {
    const romeo = await bench.user('romeo', '<presence/>');
    const juliet = await bench.account('juliet');
    await bench.does(romeo, chat(juliet.key, 'm&amp;1', 'alas'));
    const phone = await bench.session(romeo.account, 'phone');
    await bench.does(phone, retraction(juliet.key, 'm&amp;1'));
    expect(await contents(juliet)).to.deep.equal(['retracted', 'retract']);
    expect(await contents(romeo.account)).to.deep.equal(['retracted', 'retract']);
  });

  it('come from other servers: from the same address, or from any device of a contact', async () => {
    const { juliet } = await two();
    const { key } = juliet.account;
    const from = "from='romeo@away.example/desk'";
    const elsewhere = "from='romeo@away.example/phone'";
    await bench.comes(chat(key, 'm1', 'one', '', from));
    await bench.comes(chat(key, 'm2', 'two', '', from));
    await bench.comes(retraction(key, 'm1', '', elsewhere));
    expect(await contents(juliet.account)).to.deep.equal(['one', 'two', 'retract']);
    await bench.comes(retraction(key, 'm1', '', from));
    expect((await contents(juliet.account)).slice(0, 2)).to.deep.equal(['retracted', 'two']);
    const item = juliet.account.roster.getOrBlank('romeo@away.example');
    await bench.routing.rosters.save(juliet.account, { ...item, subscription: 'both', inRoster: true });
    await bench.comes(retraction(key, 'm2', '', elsewhere));
    expect((await contents(juliet.account)).slice(0, 2)).to.deep.equal(['retracted', 'retracted']);
  });

  for (const [what, target, more, from] of [
    ['of another sender', 'm1', '', "from='tybalt@away.example/desk'"],
    ['with another id', 'm', '', "from='romeo@away.example/desk'"],
    ['by an occupant of a room, who may have the nickname of another', 'm1', x, "from='romeo@away.example/desk'"],
    ['without an id', '', '', "from='romeo@away.example/desk'"],
  ] as const) {
    it(`change nothing ${what}`, async () => {
      const { juliet } = await two();
      const { key } = juliet.account;
      await bench.comes(chat(key, 'm1', 'stays', '', "from='romeo@away.example/desk'"));
      await bench.comes(retraction(key, target, more, from));
      expect(await contents(juliet.account)).to.deep.equal(['stays', 'retract']);
    });
  }

  it('change nothing if the message came from a room, or the id names several', async () => {
    const { juliet } = await two();
    const { key } = juliet.account;
    const [nick, romeo] = ["from='room@muc.example/nick'", "from='romeo@away.example/desk'"];
    await bench.comes(chat(key, 'm1', 'from a room', x, nick));
    await bench.comes(retraction(key, 'm1', '', nick));
    for (const body of ['once', 'twice']) await bench.comes(chat(key, 'm2', body, '', romeo));
    await bench.comes(retraction(key, 'm2', '', romeo));
    expect(await contents(juliet.account)).to.deep.equal(['from a room', 'retract', 'once', 'twice', 'retract']);
  });

  it('stay whole if one of their archives does not keep the retraction (XEP-0441)', async () => {
    const { romeo, juliet } = await two();
    await bench.does(romeo, chat(juliet.account.key, 'm1', 'stays'));
    const never = `<prefs xmlns='urn:xmpp:mam:2' default='never'><always/><never/></prefs>`;
    await bench.asks(juliet, `<iq type='set' id='p'>${never}</iq>`);
    await bench.does(romeo, retraction(juliet.account.key, 'm1'));
    expect(await contents(romeo.account)).to.deep.equal(['stays', 'retract']);
    expect(await contents(juliet.account)).to.deep.equal(['stays']);
  });

  it('are looked for among the last 1000 of the conversation', async () => {
    const { romeo, juliet } = await two();
    const { key } = juliet.account;
    await bench.does(romeo, chat(key, 'old', 'too old'));
    await bench.does(romeo, chat(key, 'new', 'just there'));
    for (let number = 0; number < 998; number++) await bench.does(romeo, chat(key, `n${number}`, 'x'));
    await bench.does(romeo, retraction(key, 'new'));
    await bench.does(romeo, retraction(key, 'old'));
    expect((await contents(juliet.account)).slice(0, 2)).to.deep.equal(['too old', 'retracted']);
  });

  it('hold up the acknowledgment of the retraction, and nothing else does (XEP-0198 §4)', async () => {
    const { romeo, juliet } = await two();
    await bench.does(romeo, chat(juliet.account.key, 'm1', 'alas'));
    const disk = Promise.withResolvers<void>();
    replacing = () => disk.promise;
    romeo.needsAck = true;
    const done = bench.does(romeo, retraction(juliet.account.key, 'm1'));
    let acknowledged = false;
    const all = Promise.all(romeo.awaited).then(() => {
      acknowledged = true;
    });
    await bench.storage.accounts.count();
    expect([acknowledged, juliet.taken().length]).to.deep.equal([false, 2]);
    disk.resolve();
    await Promise.all([done, all]);
  });

  it('do not disturb the conversation when the disk fails', async () => {
    const { romeo, juliet } = await two();
    await bench.does(romeo, chat(juliet.account.key, 'm1', 'alas'));
    replacing = () => Promise.reject(new StorageError('io', 'no'));
    await bench.does(romeo, retraction(juliet.account.key, 'm1'));
    expect(juliet.taken()).to.have.length(2);
    expect(bench.log.alarms).to.have.length(1);
    bench.log.alarms.length = 0;
  });
});
