import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'chai';
import { type BlockListOptions, BlockLists } from '../../src/extensions/block-lists/block-lists.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { PendingWork } from '../../src/routing/ack-scope.ts';
import type { Extension } from '../../src/routing/extension.ts';
import { parseFrame } from '../../src/xml/parse-frame.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench } from './bench.ts';

const [service, node] = ['lists.example', 'muc_bans_sha256'];
const list = { service, node };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const pubsub = 'http://jabber.org/protocol/pubsub';

describe('Block lists of other servers', () => {
  /** The items of the node, and how many of them the service sends at once. */
  let items: string[] = [];
  let pageSize = 500;
  /** What the service answers in place of a result: an error, or nothing. */
  let fails: 'error' | 'silence' | undefined;
  /** What other servers were sent, apart from requests to the service. */
  let sent: Stanza[] = [];
  /** The kinds of requests to the service. */
  let asked: string[] = [];
  let awaited: { readonly count: number; readonly done: () => void } = { count: 0, done: () => undefined };
  let lists: BlockLists;
  let extension: Extension<BlockListOptions>;

  const bench: Bench = new Bench((deps) => {
    lists = new BlockLists({
      ...deps,
      options: { domains: ['localhost'], blockLists: [list] },
      store: deps.storage.moderation,
    });
    extension = lists.extension;
    return { extensions: [extension], remotes: { send: (stanza) => void answer(stanza) } };
  });

  function answer(stanza: Stanza): void {
    if (stanza.kind !== 'iq' || stanza.to?.domain !== service) return void sent.push(stanza);
    const request = String(stanza);
    asked.push(/<(subscribe|unsubscribe|items)/.exec(request)?.[1] ?? '?');
    if (asked.length === awaited.count) void setImmediate().then(awaited.done);
    if (fails !== 'silence') comes(fails === 'error' ? refusalOf(stanza) : resultOf(stanza, request));
  }
  const refusalOf = ({ id, from }: Stanza) =>
    `<iq type="error" id="${id}" from="${service}" to="${from}"><error type="auth"><forbidden xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></iq>`;
  function resultOf({ id, from }: Stanza, request: string): string {
    const begin = items.indexOf(/<after>([^<]*)/.exec(request)?.[1] ?? '') + 1;
    const page = items.slice(begin, begin + pageSize);
    const set = `<set xmlns="http://jabber.org/protocol/rsm"><last>${page.at(-1) ?? ''}</last><count>${items.length}</count></set>`;
    const found = `<pubsub xmlns="${pubsub}"><items node="${node}">${page.map((item) => `<item id="${item}"/>`).join('')}</items>${page.length > 0 ? set : ''}</pubsub>`;
    return `<iq type="result" id="${id}" from="${service}" to="${from}">${request.includes('<items') ? found : ''}</iq>`;
  }
  const comes = (stanza: string) => {
    void bench.routing.router.fromServer(Stanza.fromFrame(parseFrame(stanza)), new PendingWork());
  };
  const event = (content: string, from = service) =>
    comes(
      `<message from="${from}" to="localhost/block-lists"><event xmlns="${pubsub}#event">${content}</event></message>`,
    );

  /** Resolves when the server has asked so many requests, and has read the answers, which come in the same turn. */
  async function asks(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    awaited = { count, done: resolve };
    if (asked.length < count) await promise;
    else await setImmediate();
  }
  async function starts(count = 2): Promise<void> {
    asked = [];
    bench.routing.hooks.opened();
    await asks(count);
  }
  const isListed = (address: string) => lists.users.has(Jid.parse(address));

  beforeEach(async () => {
    [items, pageSize, fails, sent, asked] = [[], 500, undefined, [], []];
    for (const { list: name, entry } of await bench.storage.moderation.listedEntries())
      await bench.storage.moderation.changeListed({ list: name, added: [], removed: [entry] });
  });
  afterEach(() => extension.closing?.());

  it('are subscribed to first, and then read', async () => {
    items = [sha256('spam@far.example'), sha256('evil.example'), 'plain.example'];
    await starts();
    expect(asked).to.deep.equal(['subscribe', 'items']);
    expect(['spam@far.example/x', 'any@evil.example', 'plain.example'].map(isListed)).to.deep.equal([true, true, true]);
    expect(['honest@far.example', 'spam@sub.evil.example'].map(isListed)).to.deep.equal([false, false]);
  });

  it('are read page by page', async () => {
    items = Array.from({ length: 7 }, (_, index) => sha256(`spam${index}@far.example`));
    pageSize = 3;
    await starts(4);
    expect(asked).to.deep.equal(['subscribe', 'items', 'items', 'items']);
    expect(isListed('spam6@far.example')).to.equal(true);
    expect(lists.report()).to.have.length(1);
    expect(lists.report()[0]).to.include({ entries: 7, followed: true });
  });

  it('are followed: what is published, retracted and purged', async () => {
    items = [sha256('first@far.example')];
    await starts();
    event(`<items node="${node}"><item id="${sha256('spam@far.example')}"/></items>`);
    expect(isListed('spam@far.example')).to.equal(true);
    event(`<items node="${node}"><retract id="${sha256('spam@far.example')}"/></items>`);
    expect(isListed('spam@far.example')).to.equal(false);
    event(`<items node="other"><item id="far.example"/></items>`);
    event(`<items node="${node}"><item id="far.example"/></items>`, 'forger.example');
    expect(isListed('honest@far.example')).to.equal(false);
    event(`<purge node="${node}"/>`);
    expect(isListed('first@far.example')).to.equal(false);
  });

  it('never have users of this server', async () => {
    items = [sha256('localhost'), 'juliet@localhost'];
    await starts();
    expect(isListed('juliet@localhost')).to.equal(false);
  });

  it('stay in force over a restart, and when the service fails, which is logged once', async () => {
    items = [sha256('spam@far.example')];
    await starts();
    await extension.closing?.();
    fails = 'error';
    bench.rebuild();
    const before = bench.log.lines.length;
    await starts(1);
    expect(isListed('spam@far.example')).to.equal(true);
    expect(lists.report()[0]).to.include({ followed: false, problem: 'forbidden' });
    bench.clock.advance(60_000);
    await asks(2);
    const warnings = () => bench.log.lines.slice(before).filter((line) => line.startsWith('warn a block list'));
    expect(warnings()).to.have.length(1);
    fails = undefined;
    items = [];
    bench.clock.advance(120_000);
    await asks(4);
    expect(isListed('spam@far.example')).to.equal(false);
    expect(lists.report()[0]).to.include({ followed: true }).and.not.have.property('problem');
  });

  it('are read again when the service does not answer, and when a link breaks', async () => {
    fails = 'silence';
    await starts(1);
    fails = undefined;
    items = ['far.example'];
    bench.clock.advance(60_000);
    await asks(1);
    bench.clock.advance(60_000);
    await asks(3);
    expect(isListed('spam@far.example')).to.equal(true);
    items = [];
    bench.routing.hooks.linkBroken(service);
    bench.clock.advance(60_000);
    await asks(5);
    expect(isListed('spam@far.example')).to.equal(false);
  });

  it('are left by a reload, with their entries, and followed by another', async () => {
    items = ['far.example'];
    await starts();
    (await extension.reload?.({ blockLists: [] }))?.();
    await asks(3);
    expect(asked).to.deep.equal(['subscribe', 'items', 'unsubscribe']);
    expect(isListed('spam@far.example')).to.equal(false);
    expect(await bench.storage.moderation.listedEntries()).to.deep.equal([]);
    event(`<items node="${node}"><item id="far.example"/></items>`);
    expect(isListed('spam@far.example')).to.equal(false);
    (await extension.reload?.({ blockLists: [list] }))?.();
    await asks(5);
    expect(isListed('spam@far.example')).to.equal(true);
  });

  it('say which of them has an address', async () => {
    items = [sha256('spam@far.example')];
    await starts();
    const uri = `xmpp:${service}?;node=${node}`;
    expect(lists.listsWith(Jid.parse('spam@far.example/x'))).to.deep.equal([uri]);
    expect(lists.listsWith(Jid.parse('honest@far.example'))).to.deep.equal([]);
  });

  describe('and accounts', () => {
    let juliet: StubSession;
    beforeEach(async () => {
      items = ['far.example'];
      await starts();
      juliet = await bench.user('juliet', '<presence/>');
      sent = [];
    });
    const writes = async (stanza: string): Promise<number> => {
      juliet.taken();
      await bench.routing.router.fromServer(readStanza(stanza), new PendingWork());
      return juliet.taken().length;
    };
    const message = (from: string, to = juliet.jid.toString()) =>
      `<message from="${from}" to="${to}" type="chat"><body>buy</body></message>`;

    it('get nothing of listed strangers, who get the same answer where no account is', async () => {
      expect(await writes(message('spam@far.example/x'))).to.equal(0);
      expect(await writes(message('spam@far.example/x', 'nobody@localhost'))).to.equal(0);
      await writes(`<presence from="spam@far.example" to="${juliet.account.jid}" type="subscribe"/>`);
      expect(sent.map(String).map((stanza) => /<policy-violation/.test(stanza))).to.deep.equal([true, true, true]);
      expect(await writes(message('honest@near.example/x'))).to.equal(1);
    });

    it('get messages of those whom their users know', async () => {
      const contact = juliet.account.roster.getOrBlank('friend@far.example');
      juliet.account.roster.set({ ...contact, inRoster: true });
      expect(await writes(message('friend@far.example/x'))).to.equal(1);
      await bench.does(juliet, '<message to="shop@far.example"><body>how much?</body></message>');
      expect(await writes(message('shop@far.example/x'))).to.equal(1);
    });

    it('are counted in the metrics', async () => {
      await writes(message('spam@far.example/x'));
      const values = async (name: string) => {
        const metric = extension.metrics?.find((one) => one.name === name);
        return [...((await metric?.read()) ?? [])].map(({ value }) => value);
      };
      expect(await values('xmpp_block_list_refused_total')).to.deep.equal([1]);
      expect(await values('xmpp_block_list_entries')).to.deep.equal([1]);
      expect(await values('xmpp_block_list_followed')).to.deep.equal([1]);
    });
  });
});
