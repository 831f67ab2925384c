import { expect } from 'chai';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const atMs = Date.UTC(2026, 2, 1, 12);
const limits = { perAccount: 10, total: 10 };

/** Stores two reports of an account. */
async function fill({ accounts, reports }: Storage): Promise<void> {
  await accounts.create('juliet@localhost', { scram: {} });
  const spam = {
    atMs,
    jid: 'romeo@example.net',
    reason: 'urn:xmpp:reporting:spam',
    texts: [],
    passingOn: [],
    messages: [],
  };
  await reports.add('juliet@localhost', spam, limits);
  const other = {
    ...spam,
    jid: 'tybalt.example',
    reason: 'urn:other',
    texts: [{ text: 'a\nb\u202e"', lang: 'en' }, { text: 'c' }],
    passingOn: ['report-origin', 'third-party'] as const,
    messages: [{ xml: '<message from="a@tybalt.example"/>', atMs: atMs - 1000 }],
  };
  await reports.add('juliet@localhost', other, limits);
}

/** What listing, showing and removing reports must do, whether the server runs or not. */
function reportLife(workplace: Workplace): void {
  it('are listed, shown and removed', async () => {
    expect(await workplace.done('report', 'list')).to.equal(
      '2  2026-03-01T12:00:00.000Z  urn:other  tybalt.example     reported by juliet@localhost  1 message\n' +
        '1  2026-03-01T12:00:00.000Z  spam       romeo@example.net  reported by juliet@localhost  0 messages\n',
    );
    expect(await workplace.done('report', 'show', '2')).to.equal(
      `Report 2, 2026-03-01T12:00:00.000Z
Address: tybalt.example
Reason: urn:other
Reported by: juliet@localhost
May be passed on to: the server of the address and third parties
Text (en): a\\nb\\u202e"
Text: c
Message, 2026-03-01T11:59:59.000Z: <message from="a@tybalt.example"/>
`,
    );
    expect(await workplace.done('report', 'show', '1')).to.contain('May be passed on to: nobody\n');
    expect(await workplace.done('report', 'rm', '2')).to.equal('Report 2 was removed.\n');
    const { reports } = JSON.parse(await workplace.done('report', 'list', '--json'));
    expect(reports).to.have.length(1);
    expect(JSON.parse(await workplace.done('report', 'show', '1', '--json'))).to.deep.include({
      id: 1,
      jid: reports[0].jid,
    });
  });

  for (const [args, code, says] of [
    [['show', '3'], 5, /no report 3/],
    [['rm', '3'], 5, /no report 3/],
    [['rm', 'x'], 2, /"x" is not the number/],
    [['show'], 2, /Not enough/],
    [[], 2, /A command is missing/],
  ] as const) {
    it(`end with ${code}: report ${args.join(' ')}`, async () => {
      const outcome = await workplace.run(['report', ...args]);
      expect(outcome.err).to.match(says);
      expect(outcome.code).to.equal(code);
    });
  }
}

describe('reports of a stopped server', () => {
  const workplace = new Workplace();
  beforeEach(async () => {
    workplace.configure();
    const onFatal = (error: Error) => {
      throw error;
    };
    const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal });
    await fill(storage);
    await storage.close();
  });

  reportLife(workplace);
});

describe('reports of a running server', () => {
  const workplace = new Workplace();
  let server: RunningAdministration;
  beforeEach(async () => {
    workplace.configure();
    server = await RunningAdministration.start(workplace.path('data'));
    await fill(server.storage);
  });
  afterEach(() => server.stop());

  reportLife(workplace);
});
