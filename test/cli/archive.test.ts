import { expect } from 'chai';
import { purgeInSteps } from '../../src/cli/purging.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { Workplace } from './run.ts';
import { RunningAdministration } from './running-administration.ts';

const juliet = 'juliet@localhost';
const romeo = 'romeo@localhost';
const start = Date.UTC(2026, 0, 30, 12);
const dayMs = 86_400_000;

/** Two accounts that have exchanged a message on each of four days; romeo has one more, with himself. */
async function fill(storage: Storage): Promise<void> {
  const archives: number[] = [];
  for (const owner of [juliet, romeo]) {
    await storage.accounts.create(owner, { scram: {} });
    archives.push((await storage.archive.open(owner))!.archive);
  }
  const bytes = Buffer.from('<message/>');
  for (const [archive, peer, times] of [
    [archives[0]!, romeo, [0, 1, 2, 3]],
    [archives[1]!, juliet, [0, 1, 2, 3, 3.5]],
  ] as const) {
    await storage.archive.importMessages(
      archive,
      times.map((days) => ({ atMs: start + days * dayMs, bytes, peer })),
    );
  }
}

describe('ampere archive', () => {
  const workplace = new Workplace();

  it('removes many messages by one request after another', async () => {
    const answers = [20_500, 20_000, 3];
    const remove = async () => ({ removed: answers.shift() ?? expect.fail('one request too many') });
    expect(await purgeInSteps({ stderr: { write: () => undefined } }, remove)).to.equal(40_503);
    expect(answers).to.deep.equal([]);
  });

  for (const isRunning of [false, true]) {
    describe(isRunning ? 'with a running server' : 'with a stopped server', () => {
      let server: RunningAdministration | undefined;
      beforeEach(async () => {
        workplace.configure();
        if (isRunning) {
          server = await RunningAdministration.start(workplace.path('data'));
          return fill(server.storage);
        }
        const onFatal = (error: Error) => {
          throw error;
        };
        const storage = await openSqliteStorage({ dataDir: workplace.path('data'), onFatal });
        await fill(storage);
        await storage.close();
      });
      afterEach(() => server?.stop());

      const usage = async (...jid: string[]) => JSON.parse(await workplace.done('archive', 'usage', ...jid, '--json'));

      it('measures one archive, and all of them', async () => {
        expect(await usage(juliet)).to.deep.equal({
          ...{ messages: 4, bytes: 40, oldestMs: start, newestMs: start + 3 * dayMs },
        });
        expect(await usage()).to.deep.equal({
          ...{ messages: 9, bytes: 90, oldestMs: start, newestMs: start + 3.5 * dayMs },
        });
        expect((await workplace.done('archive', 'usage', romeo)).split('\n')).to.deep.equal([
          ...['Messages  5', 'Size      0.0 MiB', 'Oldest    2026-01-30T12:00:00.000Z'],
          ...['Newest    2026-02-03T00:00:00.000Z', ''],
        ]);
      });

      it('removes the messages of one archive before a time, then all', async () => {
        const purge = (...args: string[]) => workplace.done('archive', 'purge', romeo, ...args);
        expect(await purge('--before', '2026-01-31')).to.equal(`1 message was removed from the archive of ${romeo}.\n`);
        expect(await purge('--before', '2026-02-01T12:00:01Z')).to.match(/^2 messages were removed/);
        expect((await usage(romeo)).oldestMs).to.equal(start + 3 * dayMs);
        expect(await purge()).to.match(/^2 messages were removed/);
        expect(await usage(romeo)).to.deep.equal({ messages: 0, bytes: 0 });
        expect(await workplace.done('archive', 'usage', romeo)).to.match(/^Oldest +none$/m);
        expect((await usage(juliet)).messages).to.equal(4);
      });

      it('refuses times that it cannot read, and addresses without an account', async () => {
        const bad = await workplace.run(['archive', 'purge', romeo, '--before', 'yesterday']);
        expect(bad.code).to.equal(2);
        expect(bad.err).to.match(/--before must be a date or a time/);
        for (const args of [['usage'], ['purge']]) {
          const { code, err } = await workplace.run(['archive', ...args, 'nurse@localhost']);
          expect({ code, err }).to.deep.equal({ code: 5, err: 'ampere: There is no account nurse@localhost.\n' });
        }
        expect((await usage(romeo)).messages).to.equal(5);
      });
    });
  }
});
