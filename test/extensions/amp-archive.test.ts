import { expect } from 'chai';
import { configSchema } from '../../src/config/schema.ts';
import { archive } from '../../src/extensions/archive/archive.ts';
import { carbons } from '../../src/extensions/carbons/carbons.ts';
import { offline } from '../../src/extensions/offline/offline.ts';
import type { Account } from '../../src/routing/account.ts';
import type { Extension } from '../../src/routing/extension.ts';
import type { StubSession } from '../support/stub-session.ts';
import { ampOn } from './amp-on.ts';
import { Bench } from './bench.ts';

const mam = 'urn:xmpp:mam:2';
const catchUp = `<iq type='set' id='q'><query xmlns='${mam}'/></iq>`;

/** How a client comes online. */
type Kind = 'Bind 2' | 'the archive first' | 'neither';
const kinds: readonly Kind[] = ['Bind 2', 'the archive first', 'neither'];

/** A message as a client got it. */
interface Got {
  readonly body: string;
  readonly id: string | undefined;
  readonly fromArchive: boolean;
}

describe('the archive and stored messages', () => {
  let toArchiveClients = false;
  let ampExtension: Extension<never>;
  const bench = new Bench((core) => {
    const options = configSchema({ directory: '/', environment: {} }).parse({}).amp;
    ampExtension = ampOn(core, { ...options, presencePrivacy: 'open' });
    const { storage, routing, clock, log } = core;
    return {
      extensions: [
        ampExtension,
        offline({ ...core, store: storage.offline, options: { maxMessages: 3, maxBytes: 10_000, toArchiveClients } }),
        archive({
          ...routing,
          options: { enabled: true, markers: true, keepDays: 365, maxPerAccount: null },
          storage,
          clock,
          log,
        }),
        carbons(routing.sessions),
      ],
    };
  });

  afterEach(async () => {
    toArchiveClients = false;
    await ampExtension.closing?.();
    const left = await bench.storage.outbox.list(0, 1000);
    await bench.storage.outbox.remove(left.map(({ id }) => id));
  });

  async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await happened())) await new Promise((resolve) => setImmediate(resolve));
  }

  const chat = (to: string, body: string, more = '') =>
    `<message to='${to}' id='${body}' type='chat'><body>${body}</body>${more}</message>`;
  const rule = (words: string) => {
    const [action, condition, value] = words.split(' ');
    return `<amp xmlns='http://jabber.org/protocol/amp'><rule action='${action}' condition='${condition}' value='${value}'/></amp>`;
  };
  const inSeconds = (seconds: number) => new Date(bench.clock.nowMs() + seconds * 1000).toISOString();

  function messagesOf(session: StubSession): Got[] {
    return session.sent.flatMap((stanza) => {
      const text = stanza.toString();
      const body = /<body>(.*?)<\/body>/.exec(text)?.[1];
      if (stanza.kind !== 'message' || body === undefined) return [];
      const result = /<result [^>]*id="([^"]*)"/.exec(text)?.[1];
      const id = result ?? /<stanza-id [^>]*id="([^"]*)"/.exec(text)?.[1];
      return [{ body, id, fromArchive: result !== undefined }];
    });
  }

  const bodiesOf = (session: StubSession) =>
    messagesOf(session)
      .map(({ body }) => body)
      .join(' ');

  /** The account as the server has it after a restart. */
  async function restarted({ jid }: Account): Promise<Account> {
    await ampExtension.closing?.();
    bench.rebuild();
    return (await bench.routing.accounts.get(jid)) ?? expect.fail();
  }

  /** Comes online; resolves when the stored messages were sent. */
  async function comes(
    account: Account,
    kind: Kind,
    resource: string = kind.split(' ')[0] ?? '',
  ): Promise<StubSession> {
    const session = await bench.session(account, resource);
    if (kind === 'Bind 2') await bench.routing.hooks.boundInline(session, () => expect.fail());
    if (kind !== 'neither') await bench.does(session, catchUp);
    await bench.does(session, '<presence/>');
    // Held back until the stored messages have been sent.
    await bench.arrives(`<message from='x@y.example' to='${session.jid}' type='headline'><body>live</body></message>`);
    await until(() => session.sent.at(-1)?.payload.bytes.includes('live') ?? false);
    session.sent.splice(session.sent.length - 1, 1);
    return session;
  }

  /** Answers the pings of the server: the client has read everything. */
  async function confirms(session: StubSession): Promise<void> {
    const pings = session.sent.filter(({ kind, type }) => kind === 'iq' && type === 'get');
    for (const { id } of pings) await bench.does(session, `<iq type='result' id='${id}' to='localhost'/>`);
  }

  async function stored({ key }: Account): Promise<number> {
    return (await bench.storage.offline.count(key)).messages;
  }

  async function archived({ key }: Account): Promise<string> {
    const record = await bench.storage.archive.open(key);
    const everything = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
    const rows = await bench.storage.archive.page(record?.archive ?? 0, everything, 10, 'first');
    return rows.map(({ bytes }) => /<body>(.*)<\/body>/.exec(bytes.toString())?.[1]).join(' ');
  }

  async function absent(): Promise<{ romeo: StubSession; juliet: Account }> {
    return { romeo: await bench.user('romeo', '<presence/>'), juliet: await bench.account('juliet') };
  }

  async function prefers(account: Account, byDefault: 'always' | 'never'): Promise<void> {
    const session = await bench.session(account, 'settings');
    const prefs = `<prefs xmlns='${mam}' default='${byDefault}'><always/><never/></prefs>`;
    await bench.does(session, `<iq type='set' id='p'>${prefs}</iq>`);
    bench.ends(session);
  }

  describe('who gets stored messages', () => {
    for (const kind of kinds) {
      for (const preference of ['always', 'never'] as const) {
        for (const restarts of [false, true]) {
          it(`${kind}, archived ${preference}${restarts ? ', after a restart' : ''}: each message once, under one id`, async () => {
            const { romeo, juliet } = await absent();
            await prefers(juliet, preference);
            for (const body of ['one', 'two']) await bench.does(romeo, chat(juliet.key, body));
            const account = restarts ? await restarted(juliet) : juliet;
            const first = await comes(account, kind);
            const got = messagesOf(first);
            expect(got.map(({ body }) => body)).to.deep.equal(['one', 'two']);
            const reads = preference === 'always' && kind !== 'neither';
            expect(got.map(({ fromArchive }) => fromArchive)).to.deep.equal([reads, reads]);
            bench.ends(first);
            // Nothing has proved that the client has read them.
            const second = await comes(account, 'neither');
            expect(messagesOf(second)).to.deep.equal(got.map(({ body, id }) => ({ body, id, fromArchive: false })));
            await confirms(second);
            await until(async () => (await stored(account)) === 0);
            expect(bodiesOf(await comes(account, 'neither', 'third'))).to.equal('');
          });
        }
      }
    }

    it('are forgotten when the client has confirmed a page of the archive with them or a later message', async () => {
      const { romeo, juliet } = await absent();
      for (const body of ['one', 'two']) await bench.does(romeo, chat(juliet.key, body));
      const reader = await bench.session(juliet, 'reader');
      const last = "<set xmlns='http://jabber.org/protocol/rsm'><max>1</max><before/></set>";
      await bench.does(reader, catchUp.replace('/></iq>', `>${last}</query></iq>`));
      expect(bodiesOf(reader)).to.equal('two');
      expect(await stored(juliet)).to.equal(2);
      await confirms(reader);
      await until(async () => (await stored(juliet)) === 0);
      expect(juliet.stored.archived).to.deep.equal({ messages: 0, bytes: 0 });
      expect(bodiesOf(await comes(juliet, 'neither'))).to.equal('');
    });

    it('keep the messages of other conversations when a client reads one of them', async () => {
      const { romeo, juliet } = await absent();
      const nurse = await bench.user('nurse', '<presence/>');
      await bench.does(nurse, chat(juliet.key, 'nurse'));
      await bench.does(romeo, chat(juliet.key, 'romeo'));
      const reader = await bench.session(juliet, 'reader');
      const fields = `<field var='FORM_TYPE'><value>${mam}</value></field><field var='with'><value>${romeo.account.key}</value></field>`;
      await bench.does(
        reader,
        catchUp.replace('/></iq>', `><x xmlns='jabber:x:data' type='submit'>${fields}</x></query></iq>`),
      );
      await confirms(reader);
      await until(async () => (await stored(juliet)) === 1);
      // Its query was not for everything.
      await bench.does(reader, '<presence/>');
      await until(() => bodiesOf(reader) === 'romeo nurse');
    });

    it('send what comes between the query and the presence', async () => {
      const { romeo, juliet } = await absent();
      await bench.does(romeo, chat(juliet.key, 'before'));
      const reader = await bench.session(juliet, 'reader');
      await bench.does(reader, catchUp);
      await bench.does(romeo, chat(juliet.key, 'between'));
      await bench.does(reader, '<presence/>');
      await until(() => messagesOf(reader).length === 2);
      const flags = messagesOf(reader).map(({ body, fromArchive }) => [body, fromArchive]);
      expect(flags).to.deep.equal([
        ['before', true],
        ['between', false],
      ]);
    });

    it('send everything to archive clients, too, if the operator wants that', async () => {
      toArchiveClients = true;
      bench.rebuild();
      const { romeo, juliet } = await absent();
      await bench.does(romeo, chat(juliet.key, 'one'));
      const got = messagesOf(await comes(juliet, 'Bind 2'));
      expect(got.map(({ fromArchive }) => fromArchive)).to.deep.equal([true, false]);
      expect(got[0]?.id).to.equal(got[1]?.id);
    });

    it('go to a client with Bind 2 that does not read the archive, if no client of the account does (XEP-0386)', async () => {
      const { romeo, juliet } = await absent();
      await bench.does(romeo, chat(juliet.key, 'one'));
      const stock = await bench.session(juliet, 'stock');
      await bench.routing.hooks.boundInline(stock, () => expect.fail());
      await bench.does(stock, '<presence/>');
      await until(() => bodiesOf(stock) === 'one');
    });

    it('go to the client that does not read the archive, if both are there', async () => {
      const { romeo, juliet } = await absent();
      await bench.does(await bench.session(juliet, 'earlier'), catchUp);
      await bench.does(romeo, chat(juliet.key, 'one'));
      const reader = await bench.session(juliet, 'reader');
      await bench.routing.hooks.boundInline(reader, () => expect.fail());
      const old = await bench.session(juliet, 'old');
      await Promise.all([bench.does(reader, '<presence/>'), bench.does(old, '<presence/>')]);
      await until(() => messagesOf(old).length === 1);
      expect(bodiesOf(reader)).to.equal('');
    });
  });

  describe('what counts as stored', () => {
    const notify = rule('notify deliver stored');

    /** The words of the report that a sender got. */
    async function reported(romeo: StubSession): Promise<string> {
      await until(() => romeo.sent.some((stanza) => stanza.payload.bytes.includes('status=')));
      return /condition="deliver" value="(\w+)"/.exec(romeo.taken().join(''))?.[1] ?? '';
    }

    it('is what the archive keeps, even without room in the store, if the archive is read (D-34, D-35)', async () => {
      const { romeo, juliet } = await absent();
      const reader = await bench.session(juliet, 'reader');
      await bench.does(reader, catchUp);
      bench.ends(reader);
      for (const body of ['1', '2', '3']) await bench.does(romeo, chat(juliet.key, body));
      romeo.taken();
      await bench.does(romeo, chat(juliet.key, '4', notify));
      expect(await reported(romeo)).to.equal('stored');
      expect(await stored(juliet)).to.equal(3);
      expect(juliet.stored.archived.messages).to.equal(3);
      expect(await archived(juliet)).to.equal('1 2 3 4');
    });

    it('is known after a restart (D-34)', async () => {
      const { romeo, juliet } = await absent();
      const reader = await bench.session(juliet, 'reader');
      await bench.does(reader, catchUp);
      bench.ends(reader);
      for (const body of ['1', '2', '3']) await bench.does(romeo, chat(juliet.key, body));
      await restarted(juliet);
      const again = await bench.user('romeo', '<presence/>');
      await bench.does(again, chat(juliet.key, '4', notify));
      expect(await reported(again)).to.equal('stored');
    });

    it('is not what finds no room while nobody reads the archive (D-34, D-38)', async () => {
      const { romeo, juliet } = await absent();
      await bench.befriend(juliet, romeo.account);
      for (const body of ['1', '2', '3']) await bench.does(romeo, chat(juliet.key, body));
      romeo.taken();
      await bench.does(romeo, chat(juliet.key, '4'));
      expect(romeo.taken().join()).to.include('service-unavailable');
      expect(await archived(juliet)).to.equal('1 2 3');
      expect(await archived(romeo.account)).to.equal('1 2 3 4');
    });

    it('is not limited by messages of the other kind', async () => {
      const { romeo, juliet } = await absent();
      const hint = "<no-permanent-store xmlns='urn:xmpp:hints'/>";
      for (const body of ['1', '2', '3']) await bench.does(romeo, chat(juliet.key, body));
      for (const body of ['4', '5', '6']) await bench.does(romeo, chat(juliet.key, body, hint));
      expect(bodiesOf(await comes(juliet, 'neither'))).to.equal('1 2 3 4 5 6');
    });

    for (const [what, hint, byDefault, expected] of [
      ['no-store', "<no-store xmlns='urn:xmpp:hints'/>", 'always', 'none'],
      ['no-permanent-store', "<no-permanent-store xmlns='urn:xmpp:hints'/>", 'always', 'stored'],
      ['preferences against it', '', 'never', 'stored'],
    ] as const) {
      it(`is ${expected} with ${what}, and nothing is archived (D-34, D-42)`, async () => {
        const { romeo, juliet } = await absent();
        await prefers(juliet, byDefault);
        await bench.does(romeo, chat(juliet.key, 'x', `${rule(`notify deliver ${expected}`)}${hint}`));
        expect(await reported(romeo)).to.equal(expected);
        expect(await archived(juliet)).to.equal('');
        expect(await stored(juliet)).to.equal(expected === 'stored' ? 1 : 0);
      });
    }

    it('is dropped by a rule whatever the hint says, and archived by its sender only if nothing stops it (D-33, D-42)', async () => {
      const { romeo, juliet } = await absent();
      const hint = "<store xmlns='urn:xmpp:hints'/>";
      await bench.does(romeo, chat(juliet.key, 'x', `${rule('drop deliver stored')}${hint}`));
      for (const account of [juliet, romeo.account]) expect(await archived(account)).to.equal('');
      expect(await stored(juliet)).to.equal(0);
    });

    it('is delivered to a recipient who is online (D-34)', async () => {
      const { romeo, juliet } = await absent();
      await bench.session(juliet, 'home', '<presence/>');
      await bench.does(romeo, chat(juliet.key, 'x', rule('notify deliver direct')));
      expect(await reported(romeo)).to.equal('direct');
    });

    it('comes back from a session under the id it had, also after a restart (XEP-0313 §6.1)', async () => {
      const { romeo, juliet } = await absent();
      const home = await bench.session(juliet, 'home', '<presence/>');
      await bench.does(romeo, chat(juliet.key, 'x'));
      const [sent] = home.sent.filter(({ kind }) => kind === 'message');
      const [before] = messagesOf(home);
      bench.ends(home);
      await bench.routing.route(sent ?? expect.fail(), { again: { sentAtMs: bench.clock.nowMs(), hasCopy: false } });
      const account = await restarted(juliet);
      const reader = await comes(account, 'the archive first');
      expect(messagesOf(reader)).to.deep.equal([{ ...before, fromArchive: true }]);
      await confirms(reader);
      await until(async () => (await stored(account)) === 0);
    });
  });

  describe('messages that expire', () => {
    it('are shown before their time and not after it, and then leave the archive of the recipient (D-16, D-37)', async () => {
      const { romeo, juliet } = await absent();
      await bench.does(romeo, chat(juliet.key, 'short', rule(`drop expire-at ${inSeconds(5)}`)));
      await bench.does(romeo, chat(juliet.key, 'old', "<x xmlns='jabber:x:expire' seconds='5'/>"));
      await bench.does(romeo, chat(juliet.key, 'kept'));
      bench.clock.advance(3000);
      const early = await bench.session(juliet, 'early');
      await bench.does(early, catchUp);
      expect(bodiesOf(early)).to.equal('short old kept');
      // The client has not confirmed them.
      bench.ends(early);
      await until(async () => (await stored(juliet)) === 3);
      const account = await restarted(juliet);
      bench.clock.advance(3000);
      const late = await bench.session(account, 'late');
      await bench.does(late, catchUp);
      expect(bodiesOf(late)).to.equal('kept');
      expect(await archived(account)).to.equal('kept');
      expect(await archived(romeo.account)).to.equal('short old kept');
      expect(await stored(account)).to.equal(1);
    });

    it('stay when a client has confirmed them in time, and no rule reports them later (D-37)', async () => {
      const { romeo, juliet } = await absent();
      await bench.does(romeo, chat(juliet.key, 'short', rule(`alert expire-at ${inSeconds(5)}`)));
      const reader = await bench.session(juliet, 'reader');
      await bench.does(reader, catchUp);
      await confirms(reader);
      await until(async () => (await stored(juliet)) === 0);
      bench.clock.advance(60_000);
      expect(await bench.storage.offline.nextDueMs()).to.equal(undefined);
      expect(await archived(juliet)).to.equal('short');
      expect(romeo.taken().join()).not.to.include('status=');
    });

    it('do not expire while a client has them and has not confirmed them', async () => {
      const { romeo, juliet } = await absent();
      await bench.does(romeo, chat(juliet.key, 'short', rule(`drop expire-at ${inSeconds(5)}`)));
      const reader = await bench.session(juliet, 'reader');
      await bench.does(reader, catchUp);
      bench.clock.advance(6000);
      await bench.routing.hooks.settleDue(juliet.key);
      expect(await stored(juliet)).to.equal(1);
      bench.ends(reader);
      await confirms(reader);
      await until(async () => (await stored(juliet)) === 0);
      expect(await archived(juliet)).to.equal('short');
    });

    it('need room in the store: the archive alone does not end them (D-38)', async () => {
      const { romeo, juliet } = await absent();
      await bench.befriend(juliet, romeo.account);
      const reader = await bench.session(juliet, 'reader');
      await bench.does(reader, catchUp);
      bench.ends(reader);
      for (const body of ['1', '2', '3']) await bench.does(romeo, chat(juliet.key, body));
      romeo.taken();
      await bench.does(romeo, chat(juliet.key, 'short', rule(`drop expire-at ${inSeconds(5)}`)));
      expect(romeo.taken().join()).to.include('service-unavailable');
      expect(await archived(juliet)).to.equal('1 2 3');
    });

    it('that were delivered before they expired stay in both archives (D-37)', async () => {
      const { romeo, juliet } = await absent();
      await bench.session(juliet, 'home', '<presence/>');
      await bench.does(romeo, chat(juliet.key, 'in time', rule(`drop expire-at ${inSeconds(5)}`)));
      bench.clock.advance(6000);
      for (const account of [romeo.account, juliet]) expect(await archived(account)).to.equal('in time');
    });
  });
});
