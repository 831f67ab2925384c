import { expect } from 'chai';
import { archive } from '../../src/extensions/archive/archive.ts';
import { blocking } from '../../src/extensions/blocking/blocking.ts';
import { reports } from '../../src/extensions/reports/reports.ts';
import type { ReportStore, StoredReport } from '../../src/storage/reports.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import type { StubSession } from '../support/stub-session.ts';
import { Bench } from './bench.ts';

const spam = 'urn:xmpp:reporting:spam';

describe('Blocking Command Reports (XEP-0377)', () => {
  let broken = false;
  const bench = new Bench(({ routing, storage, clock, log }) => {
    const store: Pick<ReportStore, 'add'> = {
      add: (...args) =>
        broken ? Promise.reject(new StorageError('full', 'for the test')) : storage.reports.add(...args),
    };
    return {
      extensions: [
        blocking({ ...routing, store: storage.blocklists }),
        archive({
          ...routing,
          options: { enabled: true, markers: true, keepDays: 365, maxPerAccount: null },
          storage,
          clock,
          log,
        }),
        reports({ ...routing, store, clock, log }),
      ],
    };
  });

  beforeEach(() => {
    broken = false;
  });

  const report = (attributes: string, content = '') =>
    `<report xmlns='urn:xmpp:reporting:1' ${attributes}>${content}</report>`;
  const block = (session: StubSession, jid: string, content: string) =>
    bench.asks(
      session,
      `<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='${jid}'>${content}</item></block></iq>`,
    );
  const done = ({ jid, account }: StubSession) => [`<iq from="${account.key}" to="${jid}" id="b" type="result"/>`];

  /** The reports of an account, latest first. */
  async function reportsOf({ account }: StubSession): Promise<StoredReport[]> {
    const { reports: store } = bench.storage;
    const own = (await store.list(Number.MAX_SAFE_INTEGER, 100)).filter(({ reporter }) => reporter === account.key);
    return Promise.all(own.map(async ({ id }) => (await store.get(id))!));
  }

  /** Sends a message and returns the id that the archive of the recipient gave it. */
  async function received(to: StubSession, from: StubSession, body: string): Promise<string> {
    await bench.does(from, `<message to='${to.jid}' type='chat'><body>${body}</body></message>`);
    return /<stanza-id [^>]*id="([^"]*)"/.exec(to.taken()[0] ?? '')?.[1] ?? '';
  }

  it('stores the reason, the texts and what the user allows (XEP-0377 §4, §5)', async () => {
    const juliet = await bench.user();
    const texts = "<text xml:lang='en'> Never came trouble to my house like this. </text><text>Nie.</text>";
    const more = '<third-party/><report-origin/><x xmlns="urn:other"/>';
    expect(await block(juliet, 'Romeo@example.net', report(`reason='${spam}'`, texts + more))).to.deep.equal(
      done(juliet),
    );
    const [stored, ...others] = await reportsOf(juliet);
    expect(others).to.deep.equal([]);
    expect(stored).to.deep.include({
      reporter: juliet.account.key,
      jid: 'romeo@example.net',
      reason: spam,
      texts: [{ text: 'Never came trouble to my house like this.', lang: 'en' }, { text: 'Nie.' }],
      passingOn: ['report-origin', 'third-party'],
      messages: [],
      atMs: bench.clock.nowMs(),
    });
  });

  it('quotes archived messages of the address, and no others (XEP-0377 §6)', async () => {
    const [juliet, romeo, nurse] = [await bench.user(), await bench.user('romeo'), await bench.user('nurse')];
    const of = (by: string, id: string) => `<stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='${id}'/>`;
    const first = await received(juliet, romeo, 'one');
    const other = await received(juliet, nurse, 'two');
    const second = await received(juliet, romeo, 'three');
    const ids = [second, first, other, 'unknown', first].map((id) => of(juliet.account.key, id)).join('');
    await block(juliet, romeo.account.key, report(`reason='${spam}'`, ids));
    const [stored] = await reportsOf(juliet);
    expect(stored?.messages.map(({ xml }) => /<body>(.*)<\/body>/.exec(xml)?.[1])).to.deep.equal(['one', 'three']);
    expect(stored?.messages[0]?.xml).to.contain(`from="${romeo.jid}"`);
    expect(stored?.messages[0]?.atMs).to.equal(bench.clock.nowMs());

    await block(juliet, nurse.account.key, report(`reason='${spam}'`, of(romeo.account.key, other)));
    expect((await reportsOf(juliet))[0]?.messages).to.deep.equal([]);
  });

  it("gives nobody a look into another's archive", async () => {
    const [juliet, romeo, nurse] = [await bench.user(), await bench.user('romeo'), await bench.user('nurse')];
    const id = await received(juliet, romeo, 'hark');
    const quoted = `<stanza-id xmlns='urn:xmpp:sid:0' by='${nurse.account.key}' id='${id}'/>`;
    await block(nurse, romeo.account.key, report(`reason='${spam}'`, quoted));
    expect((await reportsOf(nurse))[0]?.messages).to.deep.equal([]);
  });

  it('cuts what is too much', async () => {
    const juliet = await bench.user();
    const content = `<text>${'\u{1f339}'.repeat(1500)}</text>`.repeat(6);
    await block(juliet, 'a@b.example', report(`reason='${spam}'`, content));
    const [stored] = await reportsOf(juliet);
    expect(stored?.texts.map(({ text }) => text)).to.deep.equal(Array(5).fill('\u{1f339}'.repeat(1000)));
  });

  for (const [name, content] of [
    ['without a reason', report('')],
    ['with an endless reason', report(`reason='urn:${'x'.repeat(200)}'`)],
    ['of another version', "<report xmlns='urn:xmpp:reporting:0'><spam/></report>"],
    ['that is missing', ''],
  ] as const) {
    it(`blocks also with a report ${name} (XEP-0377 §6)`, async () => {
      const juliet = await bench.user();
      expect(await block(juliet, 'romeo@example.net', content)).to.deep.equal(done(juliet));
      expect([...juliet.account.blocked]).to.deep.equal(['romeo@example.net']);
      expect(await reportsOf(juliet)).to.deep.equal([]);
    });
  }

  it('blocks also if the report cannot be stored', async () => {
    const juliet = await bench.user();
    broken = true;
    expect(await block(juliet, 'romeo@example.net', report(`reason='${spam}'`))).to.deep.equal(done(juliet));
    expect([...juliet.account.blocked]).to.deep.equal(['romeo@example.net']);
    expect(bench.log.alarms.at(-1)).to.contain('a report was not stored');
  });

  it('stores nothing if the address is not blocked', async () => {
    const juliet = await bench.user();
    const [answer] = await block(juliet, 'a@b@c', report(`reason='${spam}'`));
    expect(answer).to.contain('<jid-malformed ');
    expect(await reportsOf(juliet)).to.deep.equal([]);
  });
});
