import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { ArchiveIds } from '../../src/archives/archive-ids.ts';
import { archive as archiveExtension } from '../../src/extensions/archive/archive.ts';
import { carbons } from '../../src/extensions/carbons/carbons.ts';
import { offline } from '../../src/extensions/offline/offline.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import type { Account } from '../../src/routing/account.ts';
import { parseFrame } from '../../src/xml/parse-frame.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench, errorText } from './bench.ts';

const mam = 'urn:xmpp:mam:2';
const ping = 'urn:xmpp:ping';
const options = { enabled: true, markers: true, keepDays: 365, maxPerAccount: null };

/** What a query has brought: the messages in the order they came, and the answer behind them. */
interface Answered {
  readonly bodies: string;
  readonly ids: readonly string[];
  readonly stamps: readonly string[];
  readonly messages: readonly string[];
  readonly fin: string;
  readonly complete: boolean;
  readonly set: string;
}

describe('the archive (XEP-0313)', () => {
  const bench = new Bench(({ storage, routing, clock, log }) => ({
    extensions: [
      offline({
        ...routing,
        store: storage.offline,
        options: { maxMessages: 3, maxBytes: 10_000, toArchiveClients: false },
        clock,
        log,
      }),
      archiveExtension({ ...routing, options, storage, clock, log }),
      carbons(routing.sessions),
    ],
  }));

  function field(name: string, ...values: string[]): string {
    return `<field var='${name}'>${values.map((value) => `<value>${value}</value>`).join('')}</field>`;
  }

  function form(...fields: string[]): string {
    return `<x xmlns='jabber:x:data' type='submit'>${field('FORM_TYPE', mam)}${fields.join('')}</x>`;
  }

  function rsm(content: string): string {
    return `<set xmlns='http://jabber.org/protocol/rsm'>${content}</set>`;
  }

  function query(content = '', attributes = ''): string {
    return `<iq type='set' id='q'><query xmlns='${mam}' ${attributes}>${content}</query></iq>`;
  }

  async function asks(session: StubSession, content = '', attributes = ''): Promise<Answered> {
    const answers = (await bench.asks(session, query(content, attributes))).filter((text) => !text.includes(ping));
    const fin = answers.at(-1) ?? '';
    const messages = answers.slice(0, -1);
    const all = (pattern: RegExp) => messages.map((message) => pattern.exec(message)?.[1] ?? '?');
    return {
      bodies: all(/<body>(.*?)<\/body>/).join(' '),
      ids: all(/<result [^>]*id="([^"]*)"/),
      stamps: all(/<delay xmlns="urn:xmpp:delay" stamp="([^"]*)"/),
      messages,
      fin,
      complete: fin.includes('complete="true"'),
      set: /<set [^>]*?(?:\/>|>(.*)<\/set>)/.exec(fin)?.[1] ?? '',
    };
  }

  const chat = (to: string, body: string, more = '') =>
    `<message to='${to}' type='chat'><body>${body}</body>${more}</message>`;

  async function two(): Promise<{ romeo: StubSession; juliet: StubSession }> {
    return { romeo: await bench.user('romeo', '<presence/>'), juliet: await bench.user('juliet', '<presence/>') };
  }

  /** The bodies in the archive of an account. */
  async function archived(account: Account): Promise<string> {
    return (await asks(await bench.session(account, 'reader'))).bodies;
  }

  const stampOf = (message: string | undefined) =>
    /<stanza-id [^>]*by="([^"]*)" id="([^"]*)"/.exec(message ?? '')?.slice(1);

  it('knows imported messages by the ids that they had (XEP-0227 §4.11)', async () => {
    const { archive: store, accounts } = bench.storage;
    const [jid, archive] = ['imported@localhost', await store.prepareImport()];
    const imported = (text: string, importedId: string | undefined) => ({
      ...{ atMs: 1000 * text.length, peer: 'juliet@away.example', importedId },
      bytes: Buffer.from(`<message from='juliet@away.example/x' to='${jid}'><body>${text}</body></message>`),
    });
    await store.importMessages(archive, [
      imported('a', 'id one'),
      imported('bb', undefined),
      imported('ccc', 'id two'),
    ]);
    await accounts.createMany([{ jid, credentials: { scram: {} }, archive }]);
    const reader = await bench.session((await bench.routing.accounts.get(Jid.parse(jid)))!, 'reader');
    const all = await asks(reader);
    expect([all.bodies, all.ids[0], all.ids[2]]).to.deep.equal(['a bb ccc', 'id one', 'id two']);
    expect(all.set).to.contain('>id one</first>').and.to.contain('<last>id two</last>');
    expect((await asks(reader, rsm('<after>id one</after>'))).bodies).to.equal('bb ccc');
    expect((await asks(reader, rsm('<before>id two</before>'))).bodies).to.equal('a bb');
    expect((await asks(reader, form(field('ids', 'id two', all.ids[1]!)))).bodies).to.equal('bb ccc');
    expect((await asks(reader, form(field('after-id', all.ids[1]!)))).bodies).to.equal('ccc');
    expect((await asks(reader, rsm('<after>id three</after>'))).fin).to.contain('item-not-found');
    const [metadata] = await bench.asks(reader, `<iq type='get' id='m'><metadata xmlns='${mam}'/></iq>`);
    expect(metadata).to.match(/<start id="id one" .*<end id="id two" /);
  });

  describe('what goes in', () => {
    it('is a message between two users here, in both archives, with an id for the recipient (XEP-0359)', async () => {
      const { romeo, juliet } = await two();
      await bench.does(romeo, chat(juliet.jid.bare().toString(), 'hark'));
      const [got] = juliet.taken();
      const [by, id] = stampOf(got) ?? [];
      expect(by).to.equal(juliet.account.key);
      const [mine, hers] = [await asks(romeo), await asks(juliet)];
      expect([mine.bodies, hers.bodies]).to.deep.equal(['hark', 'hark']);
      expect(hers.ids).to.deep.equal([id]);
      expect(mine.ids).not.to.deep.equal(hers.ids);
      expect(mine.messages[0]).to.equal(
        `<message from="${romeo.account.key}" to="${romeo.jid}"><result xmlns="${mam}" id="${mine.ids[0]}"><forwarded xmlns="urn:xmpp:forward:0"><delay xmlns="urn:xmpp:delay" stamp="${mine.stamps[0]}"/><message xmlns="jabber:client" from="${romeo.jid}" to="${juliet.account.key}" type="chat"><body>hark</body></message></forwarded></result></message>`,
      );
    });

    it('is what waits for an absent user, once and under one id', async () => {
      const { romeo } = await two();
      const juliet = await bench.account('juliet');
      await bench.does(romeo, chat(juliet.key, 'later'));
      const reader = await asks(await bench.session(juliet, 'reader'));
      expect(reader.bodies).to.equal('later');
      const stored = await bench.storage.offline.list(juliet.key, 0, 10);
      expect(stampOf(stored[0]?.bytes.toString())).to.deep.equal([juliet.key, reader.ids[0]]);
    });

    it('comes from other servers, and goes there', async () => {
      const { juliet } = await two();
      await bench.comes(`<message from='romeo@away.example/x' to='${juliet.account.key}'><body>in</body></message>`);
      expect(stampOf(juliet.taken()[0])?.[0]).to.equal(juliet.account.key);
      await bench.does(juliet, chat('romeo@away.example', 'out'));
      expect((await asks(juliet, form(field('with', 'romeo@away.example')))).bodies).to.equal('in out');
    });

    it('is once what a user writes to the own account', async () => {
      const { romeo } = await two();
      await bench.does(romeo, chat(romeo.account.key, 'note'));
      expect((await asks(romeo)).bodies).to.equal('note');
      expect((await asks(romeo, form(field('with', romeo.account.key)))).bodies).to.equal('note');
    });

    it('has the same id in the copy of another device of the sender (XEP-0280)', async () => {
      const { romeo, juliet } = await two();
      const other = await bench.session(romeo.account, 'other', '<presence/>');
      await bench.does(other, "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
      other.taken();
      await bench.does(romeo, chat(juliet.jid.toString(), 'hark'));
      const [by, id] = stampOf(other.taken()[0]) ?? [];
      expect(by).to.equal(romeo.account.key);
      expect((await asks(romeo)).ids).to.deep.equal([id]);
      expect(stampOf(juliet.taken()[0])?.[0]).to.equal(juliet.account.key);
    });

    const kept: readonly [what: string, message: string, archived: boolean][] = [
      ['a normal message', "<message to='@'><body>x</body></message>", true],
      [
        'a message with a hint to store it',
        "<message to='@' type='chat'><store xmlns='urn:xmpp:hints'/></message>",
        true,
      ],
      [
        'a chat state',
        "<message to='@' type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/></message>",
        false,
      ],
      ['a headline', "<message to='@' type='headline'><body>x</body></message>", false],
      ['an error', "<message to='@' type='error'><body>x</body></message>", false],
      [
        'what must not be stored (XEP-0334)',
        "<message to='@'><body>x</body><no-store xmlns='urn:xmpp:hints'/></message>",
        false,
      ],
      [
        'what must not be archived',
        "<message to='@'><body>x</body><no-permanent-store xmlns='urn:xmpp:hints'/></message>",
        false,
      ],
    ];
    for (const [what, message, isKept] of kept) {
      it(`is ${isKept ? '' : 'not '}${what}`, async () => {
        const { romeo, juliet } = await two();
        await bench.does(romeo, message.replace('@', juliet.jid.toString()));
        expect(stampOf(juliet.taken()[0]) !== undefined).to.equal(isKept);
        for (const one of [romeo, juliet]) expect((await asks(one)).messages).to.have.length(isKept ? 1 : 0);
      });
    }

    it('is of a refused message only what its sender has written', async () => {
      const { romeo } = await two();
      await bench.does(romeo, chat('nobody@localhost', 'lost'));
      expect((await asks(romeo)).bodies).to.equal('lost');
    });

    it('is nothing for the recipient if the store turns out to be full', async () => {
      const { romeo } = await two();
      const juliet = await bench.account('juliet');
      for (const body of ['1', '2', '3', '4']) await bench.does(romeo, chat(juliet.key, body));
      expect(await archived(juliet)).to.equal('1 2 3');
      expect((await asks(romeo)).bodies).to.equal('1 2 3 4');
    });

    it('is nothing that comes a second time', async () => {
      const { juliet } = await two();
      const message = `<message from='romeo@away.example' to='${juliet.account.key}'><body>again</body></message>`;
      await bench.arrives(message);
      await bench.routing.route(Stanza.fromFrame(parseFrame(message)), { again: { sentAtMs: 0, hasCopy: false } });
      expect((await asks(juliet)).bodies).to.equal('again');
    });

    it('is once what several devices get, at once and as carbons', async () => {
      const { romeo, juliet } = await two();
      const phone = await bench.session(juliet.account, 'phone', '<presence/>');
      const tablet = await bench.session(juliet.account, 'tablet', '<presence><priority>-1</priority></presence>');
      await bench.does(tablet, "<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>");
      for (const one of [juliet, phone, tablet]) one.taken();
      await bench.does(romeo, chat(juliet.account.key, 'hark'));
      const { bodies, ids } = await asks(juliet);
      expect(bodies).to.equal('hark');
      for (const one of [phone, tablet]) expect(stampOf(one.taken()[0])?.[1]).to.equal(ids[0]);
    });

    it('is once a private message that a room sends to each client (XEP-0045 §7.5)', async () => {
      const { juliet } = await two();
      const phone = await bench.session(juliet.account, 'phone', '<presence/>');
      const sent = (
        to: StubSession,
        id: string,
        body: string,
        more = "<x xmlns='http://jabber.org/protocol/muc#user'/>",
      ) =>
        bench.comes(
          `<message from='hall@muc.example/nick' to='${to.jid}' type='chat' id='${id}'><body>${body}</body>${more}</message>`,
        );
      juliet.taken();
      for (const one of [juliet, phone]) await sent(one, '1', 'psst');
      expect(stampOf(phone.taken()[0])).to.deep.equal(stampOf(juliet.taken()[0]));
      expect((await asks(juliet)).bodies).to.equal('psst');
      // Others with that id are other messages, and so is one that comes later.
      await sent(juliet, '1', 'another');
      for (const one of [juliet, phone]) await sent(one, '2', 'no room', '');
      bench.clock.advance(10_001);
      await sent(phone, '1', 'another');
      expect((await asks(juliet)).bodies).to.equal('psst another no room no room another');
    });

    it('is a private message in a room, under the address of the occupant', async () => {
      const { juliet } = await two();
      for (const nick of ['one', 'two'])
        await bench.comes(
          `<message from='hall@muc.example/${nick}' to='${juliet.jid}' type='chat' id='${nick}'><body>${nick}</body>
           <x xmlns='http://jabber.org/protocol/muc#user'/></message>`,
        );
      const withPeer = async (jid: string) => (await asks(juliet, form(field('with', jid)))).bodies;
      expect(await withPeer('hall@muc.example')).to.equal('one two');
      expect(await withPeer('hall@muc.example/two')).to.equal('two');
      await bench.does(juliet, chat(juliet.account.key, 'myself'));
      expect(await withPeer(juliet.account.key)).to.equal('myself');
    });

    it('is kept whatever it says of its delay: anybody could hide it that way (XEP-0203)', async () => {
      const { romeo, juliet } = await two();
      const delay = "<delay xmlns='urn:xmpp:delay' stamp='2002-09-10T23:08:25Z'/>";
      await bench.does(romeo, chat(juliet.account.key, 'late', delay));
      expect((await asks(juliet)).bodies).to.equal('late');
      expect((await asks(romeo)).bodies).to.equal('late');
    });

    it('is for the account at the end, if messages are forwarded', async () => {
      const { romeo, juliet } = await two();
      const nurse = await bench.account('nurse');
      nurse.forwardTo = juliet.account.jid;
      await bench.does(romeo, chat(nurse.key, 'go on'));
      expect(await archived(nurse)).to.equal('');
      expect((await asks(juliet)).bodies).to.equal('go on');
      expect((await asks(romeo, form(field('with', nurse.key)))).bodies).to.equal('go on');
    });

    it('loses ids that only this server gives (XEP-0359 §5)', async () => {
      const { romeo, juliet } = await two();
      const sid = (by: string) => `<stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='forged'/>`;
      const forged = sid(juliet.account.key.toUpperCase()) + sid(romeo.account.key) + sid('room@muc.example');
      await bench.does(romeo, `<message to='${juliet.jid}' type='chat'><body>x</body>${forged}</message>`);
      expect(juliet.taken()[0]?.match(/ by=["'][^"']*/g)).to.deep.equal([
        " by='room@muc.example",
        ` by="${juliet.account.key}`,
      ]);
      await bench.comes(
        `<message from='a@b.example' to='${juliet.jid}' type='headline'>${sid(juliet.account.key)}<body/></message>`,
      );
      expect(juliet.taken()[0]).not.to.include('forged');
    });
  });

  describe('queries', () => {
    /** Juliet has exchanged six messages, a second apart. */
    async function conversation(): Promise<{ juliet: StubSession; ids: readonly string[] }> {
      const juliet = await bench.user('juliet', '<presence/>');
      for (const [index, from] of [
        'a@x.example/1',
        'b@x.example',
        'a@x.example/2',
        'a@x.example/1',
        'b@x.example',
        'c@x.example',
      ].entries()) {
        await bench.comes(
          `<message from='${from}' to='${juliet.account.key}' type='chat'><body>${index}</body></message>`,
        );
        bench.clock.advance(1000);
      }
      return { juliet, ids: (await asks(juliet)).ids };
    }

    type Case = readonly [
      what: string,
      content: (ids: readonly string[]) => string,
      bodies: string,
      complete: boolean,
      set: (ids: readonly string[]) => string,
    ];
    const page = (ids: readonly string[], first: number, last: number, index = '', count = 6) =>
      `<first${index}>${ids[first]}</first><last>${ids[last]}</last><count>${count}</count>`;
    const first = ' index="0"';
    const cases: readonly Case[] = [
      ['everything', () => '', '0 1 2 3 4 5', true, (ids) => page(ids, 0, 5, first)],
      ['the first page', () => rsm('<max>2</max>'), '0 1', false, (ids) => page(ids, 0, 1, first)],
      [
        'a page as large as the result',
        () => rsm('<max>6</max>'),
        '0 1 2 3 4 5',
        true,
        (ids) => page(ids, 0, 5, first),
      ],
      ['the next page', (ids) => rsm(`<max>2</max><after>${ids[1]}</after>`), '2 3', false, (ids) => page(ids, 2, 3)],
      [
        'the last page from the front',
        (ids) => rsm(`<max>2</max><after>${ids[3]}</after>`),
        '4 5',
        true,
        (ids) => page(ids, 4, 5),
      ],
      ['what comes after the last', (ids) => rsm(`<after>${ids[5]}</after>`), '', true, () => '<count>6</count>'],
      ['the last page', () => rsm('<max>2</max><before/>'), '4 5', false, (ids) => page(ids, 4, 5)],
      [
        'the page before',
        (ids) => rsm(`<max>2</max><before>${ids[4]}</before>`),
        '2 3',
        false,
        (ids) => page(ids, 2, 3),
      ],
      [
        'the first page from the back',
        (ids) => rsm(`<max>2</max><before>${ids[2]}</before>`),
        '0 1',
        true,
        (ids) => page(ids, 0, 1),
      ],
      [
        'a range',
        (ids) => rsm(`<after>${ids[0]}</after><before>${ids[4]}</before>`),
        '1 2 3',
        true,
        (ids) => page(ids, 1, 3),
      ],
      ['how many there are', () => rsm('<max>0</max>'), '', false, () => '<count>6</count>'],
      [
        'a page with the latest first',
        () => `<flip-page/>${rsm('<max>2</max><before/>')}`,
        '5 4',
        false,
        (ids) => page(ids, 4, 5),
      ],
      [
        'those with a bare JID',
        () => form(field('with', 'a@x.example')),
        '0 2 3',
        true,
        (ids) => page(ids, 0, 3, first, 3),
      ],
      [
        'those with a full JID',
        () => form(field('with', 'a@x.example/1')),
        '0 3',
        true,
        (ids) => `<first index="0">${ids[0]}</first><last>${ids[3]}</last>`,
      ],
      [
        'how many there are with a full JID',
        () => form(field('with', 'a@x.example/1')) + rsm('<max>0</max>'),
        '',
        false,
        () => '<count>2</count>',
      ],
      [
        'the last with a full JID',
        () => form(field('with', 'a@x.example/1')) + rsm('<max>1</max><before/>'),
        '3',
        false,
        (ids) => `<first>${ids[3]}</first><last>${ids[3]}</last>`,
      ],
      ['those with somebody unknown', () => form(field('with', 'z@x.example')), '', true, () => '<count>0</count>'],
      ['those since a time', () => form(field('start', '@2')), '2 3 4 5', true, (ids) => page(ids, 2, 5, first, 4)],
      ['those until a time', () => form(field('end', '@2')), '0 1 2', true, (ids) => page(ids, 0, 2, first, 3)],
      [
        'those behind an id',
        (ids) => form(field('after-id', ids[3]!)),
        '4 5',
        true,
        (ids) => page(ids, 4, 5, first, 2),
      ],
      [
        'those before an id',
        (ids) => form(field('before-id', ids[2]!)),
        '0 1',
        true,
        (ids) => page(ids, 0, 1, first, 2),
      ],
      [
        'those between ids',
        (ids) => form(field('after-id', ids[0]!), field('before-id', ids[5]!)) + rsm('<max>2</max><before/>'),
        '3 4',
        false,
        (ids) => page(ids, 3, 4, '', 4),
      ],
      ['single ones', (ids) => form(field('ids', ids[4]!, ids[1]!)), '1 4', true, (ids) => page(ids, 1, 4, first, 2)],
      [
        'those of single ones with somebody',
        (ids) => form(field('ids', ids[4]!, ids[0]!), field('with', 'b@x.example')),
        '4',
        true,
        (ids) => page(ids, 4, 4, first, 1),
      ],
      [
        'no messages of rooms',
        () => form(field('include-groupchat', 'false')),
        '0 1 2 3 4 5',
        true,
        (ids) => page(ids, 0, 5, first),
      ],
    ];
    for (const [what, content, bodies, complete, set] of cases) {
      it(`find ${what}`, async () => {
        const startMs = bench.clock.nowMs();
        const { juliet, ids } = await conversation();
        const at = (seconds: string) => new Date(startMs + Number(seconds) * 1000).toISOString();
        const asked = content(ids).replace(/@(\d)(?=<)/, (_, seconds: string) => at(seconds));
        const answer = await asks(juliet, asked);
        expect(answer.bodies).to.equal(bodies);
        expect(answer.complete).to.equal(complete);
        expect(answer.set).to.equal(set(ids));
      });
    }

    it('give back the id of the query, and the time of each message', async () => {
      const startMs = bench.clock.nowMs();
      const { juliet } = await conversation();
      const { messages, stamps } = await asks(juliet, rsm('<max>2</max>'), "queryid='f&amp;27'");
      expect(messages[1]).to.include(`<result xmlns="${mam}" queryid="f&amp;27" id="`);
      expect(stamps.map(Date.parse)).to.deep.equal([startMs, startMs + 1000]);
    });

    it('go on behind a message that is gone', async () => {
      const { juliet, ids } = await conversation();
      const record = await bench.storage.archive.open(juliet.account.key);
      const rows = await bench.storage.archive.page(
        record?.archive ?? 0,
        { afterId: 0, beforeId: Infinity },
        9,
        'first',
      );
      await bench.storage.archive.remove(record?.archive ?? 0, rows[2]?.id ?? 0);
      expect((await asks(juliet, rsm(`<after>${ids[2]}</after>`))).bodies).to.equal('3 4 5');
      const single = await asks(juliet, form(field('ids', ids[1]!, ids[2]!)));
      expect(single.fin).to.match(errorText('cancel', 'item-not-found'));
      expect(single.messages).to.deep.equal([]);
    });

    it('do not understand ids of others', async () => {
      const { juliet, ids } = await conversation();
      const other = (await conversation()).ids[0]!;
      const flipped = (ids[0]![0] === 'A' ? 'B' : 'A') + ids[0]!.slice(1);
      for (const id of [other, flipped, '', `${ids[0]}A`, '1', '*'.repeat(22)]) {
        const contents = [`<after>${id}</after>`, ...(id ? [`<before>${id}</before>`] : [])].map(rsm);
        for (const name of ['after-id', 'before-id', 'ids']) contents.push(form(field(name, id)));
        for (const content of contents) {
          expect((await asks(juliet, content)).fin, content).to.match(errorText('cancel', 'item-not-found'));
        }
      }
    });

    const refused: readonly [content: string, type: string, condition: string][] = [
      [form(field('with', '@')), 'modify', 'bad-request'],
      [form(field('start', 'yesterday')), 'modify', 'bad-request'],
      [form(field('unknown', '1')), 'cancel', 'feature-not-implemented'],
      [form(field('{urn:xmpp:fulltext:0}fulltext', 'x')), 'cancel', 'feature-not-implemented'],
      [form().replace(mam, 'urn:other'), 'modify', 'bad-request'],
      [form().replace("type='submit'", "type='cancel'"), 'modify', 'bad-request'],
      [rsm('<max>x</max>'), 'modify', 'bad-request'],
      [rsm('<index>3</index>'), 'cancel', 'feature-not-implemented'],
    ];
    for (const [content, type, condition] of refused) {
      it(`are refused with ${condition}: ${content}`, async () => {
        const juliet = await bench.user('juliet', '<presence/>');
        const answers = await bench.asks(juliet, query(content));
        expect(answers).to.have.length(1);
        expect(answers[0]).to.match(new RegExp(`<error type="${type}"><${condition} `));
      });
    }

    it('send no more than a page of 250', async () => {
      const juliet = await bench.user('juliet');
      const record = await bench.storage.archive.open(juliet.account.key);
      for (let number = 0; number < 300; number++) {
        const bytes = Buffer.from(`<message from="a@x.example"><body>${number}</body></message>`);
        const recipient = { archive: record?.archive ?? 0, peer: 'a@x.example' };
        void bench.storage.archive.append({ id: bench.storage.archive.newId(), bytes, recipient });
      }
      const [most, usual] = [await asks(juliet, rsm('<max>1000</max>')), await asks(juliet)];
      expect([most, usual].map(({ messages }) => messages.length)).to.deep.equal([250, 50]);
      expect([most, usual].map(({ complete }) => complete)).to.deep.equal([false, false]);
    });

    it('leave out a damaged message', async () => {
      const juliet = await bench.user('juliet');
      const record = await bench.storage.archive.open(juliet.account.key);
      const texts = ['<message><body>a</body></message>', '<message><body>', '<message><body>c</body></message>'];
      for (const text of texts) {
        const recipient = { archive: record?.archive ?? 0, peer: 'a@x.example' };
        void bench.storage.archive.append({ id: bench.storage.archive.newId(), bytes: Buffer.from(text), recipient });
      }
      expect((await asks(juliet)).bodies).to.equal('a c');
      expect(bench.log.alarms.join()).to.include('an archived message is damaged');
      bench.log.alarms.length = 0;
    });

    it('are for nobody else, whether the account exists or not', async () => {
      const { romeo, juliet } = await two();
      for (const to of [juliet.account.key, 'nobody@localhost']) {
        for (const [name, type] of [
          ['query', 'set'],
          ['query', 'get'],
          ['metadata', 'get'],
          ['prefs', 'get'],
          ['prefs', 'set'],
        ]) {
          const answers = await bench.asks(
            romeo,
            `<iq type='${type}' id='f' to='${to}'><${name} xmlns='${mam}'/></iq>`,
          );
          expect(answers.map((answer) => answer.replace(/<text.*<\/text>/, ''))[0]).to.match(
            errorText('auth', 'forbidden'),
          );
        }
      }
    });

    it('have a form', async () => {
      const { juliet } = await two();
      const [answer] = await bench.asks(juliet, `<iq type='get' id='f'><query xmlns='${mam}'/></iq>`);
      expect(answer)
        .to.include('<field var="with" type="jid-single"/>')
        .and.to.include('<field var="start" type="text-single"/>');
      expect(answer).to.include(
        '<field var="ids" type="list-multi"><validate xmlns="http://jabber.org/protocol/xdata-validate" datatype="xs:string"><open/></validate></field>',
      );
    });

    it('tell the ends of the archive', async () => {
      const { juliet, ids } = await conversation();
      const metadata = `<iq type='get' id='m'><metadata xmlns='${mam}'/></iq>`;
      const [answer] = await bench.asks(juliet, metadata);
      expect(answer).to.include(`<start id="${ids[0]}" timestamp="`).and.to.include(`<end id="${ids[5]}" timestamp="`);
      const [empty] = await bench.asks(await bench.user('nurse'), metadata);
      expect(empty).to.include(`<metadata xmlns="${mam}"/>`);
    });
  });

  describe('preferences (XEP-0441)', () => {
    const prefs = (byDefault: string, always = '', never = '') =>
      `<iq type='set' id='p'><prefs xmlns='${mam}' default='${byDefault}'><always>${always}</always><never>${never}</never></prefs></iq>`;
    const jid = (text: string) => `<jid>${text}</jid>`;

    it('archive everything unless the user says otherwise, and are kept', async () => {
      const juliet = await bench.user('juliet');
      const get = `<iq type='get' id='p'><prefs xmlns='${mam}'/></iq>`;
      expect((await bench.asks(juliet, get))[0]).to.include(
        `<prefs xmlns="${mam}" default="always"><always/><never/></prefs>`,
      );
      const set = await bench.asks(juliet, prefs('roster', jid('A@x.example'), jid('b@x.example/r')));
      const applied = `<prefs xmlns="${mam}" default="roster"><always><jid>a@x.example</jid></always><never><jid>b@x.example/r</jid></never></prefs>`;
      expect(set[0]).to.include(applied);
      bench.rebuild();
      const account = await bench.routing.accounts.get(juliet.account.jid);
      const again = await bench.session(account!, 'again');
      expect((await bench.asks(again, get))[0]).to.include(applied);
    });

    const decisions: readonly [set: string, from: string, archived: boolean][] = [
      [prefs('never'), 'a@x.example', false],
      [prefs('never', jid('a@x.example')), 'a@x.example/r', true],
      [prefs('never', jid('a@x.example/r')), 'a@x.example/r', true],
      [prefs('never', jid('a@x.example/r')), 'a@x.example/s', false],
      [prefs('always', '', jid('a@x.example')), 'a@x.example/r', false],
      [prefs('always', '', jid('a@x.example')), 'b@x.example', true],
      [prefs('always', jid('a@x.example/r'), jid('a@x.example')), 'a@x.example/r', true],
      [prefs('always', jid('a@x.example'), jid('a@x.example')), 'a@x.example', false],
      [prefs('roster'), 'a@x.example/r', false],
    ];
    for (const [set, from, isKept] of decisions) {
      it(`${isKept ? 'keep' : 'drop'} a message from ${from} with ${set.slice(20)}`, async () => {
        const juliet = await bench.user('juliet', '<presence/>');
        await bench.does(juliet, set);
        await bench.comes(`<message from='${from}' to='${juliet.account.key}'><body>x</body></message>`);
        expect((await asks(juliet)).bodies).to.equal(isKept ? 'x' : '');
      });
    }

    it('keep contacts, if the user wants it so, and decide for each end alone', async () => {
      const { romeo, juliet } = await two();
      await bench.befriend(romeo.account, juliet.account);
      await bench.does(romeo, prefs('roster'));
      await bench.does(juliet, prefs('never'));
      juliet.taken();
      await bench.does(romeo, chat(juliet.account.key, 'x'));
      expect(stampOf(juliet.taken()[0])).to.equal(undefined);
      expect((await asks(romeo)).bodies).to.equal('x');
      expect((await asks(juliet)).bodies).to.equal('');
    });

    for (const set of [prefs('sometimes'), prefs('always', jid('@')), prefs('').replace("default=''", '')]) {
      it(`refuse ${set.slice(20)}`, async () => {
        const juliet = await bench.user('juliet');
        expect((await bench.asks(juliet, set))[0]).to.include('<bad-request ');
      });
    }
  });
});

describe('ids of archived messages', () => {
  const ids = new ArchiveIds(randomBytes(32));

  it('hide an archive and an id, and are read again', () => {
    for (const [archive, id] of [
      [1, 1],
      [2 ** 40 + 7, Number.MAX_SAFE_INTEGER],
      [1, Date.now() * 1024],
    ] as const) {
      const text = ids.write(archive, id);
      expect(text).to.match(/^[\w-]{22}$/);
      expect(ids.read(archive, text)).to.equal(id);
      expect(ids.read(archive + 1, text)).to.equal(undefined);
    }
  });

  it('say nothing with another key', () => {
    expect(new ArchiveIds(randomBytes(32)).read(1, ids.write(1, 5))).to.equal(undefined);
  });

  it('have one form', () => {
    const text = ids.write(3, 9);
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];
    const read = letters.filter((last) => ids.read(3, text.slice(0, -1) + last) !== undefined);
    expect(read).to.deep.equal([text.at(-1)]);
  });
});
