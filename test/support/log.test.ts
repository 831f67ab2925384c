import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { createLog } from '../../src/support/log.ts';

describe('The log', () => {
  const peers = 'a \u009b31m \u202e \u001b[2J \n b';

  for (const format of ['json', 'pretty'] as const) {
    it(`shows no characters that do something to a terminal (${format})`, async () => {
      let written = '';
      const log = await createLog({ level: 'info', format }, { write: (line: string) => (written += line) });
      log.info({ error: peers, err: new Error(peers) }, peers);
      for (let turns = 0; turns < 10 && !written.endsWith('\n'); turns++) await turn();
      expect(written).to.contain('\\u009b31m \\u202e');
      expect(written.replaceAll('\n', '')).not.to.match(/[\p{Cc}\u202e]/u);
    });
  }

  it('goes on in a new file after its file was renamed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ampere-log-'));
    const file = join(directory, 'log', 'ampere.log');
    const log = await createLog({ level: 'info', format: 'auto', file });
    log.info({}, 'first');
    renameSync(file, `${file}.1`);
    log.info({}, 'second');
    log.reopen();
    log.info({}, 'third');
    const wordsIn = (path: string) => readFileSync(path, 'utf8').match(/first|second|third/g);
    expect([wordsIn(`${file}.1`), wordsIn(file)]).to.deep.equal([['first', 'second'], ['third']]);
    rmSync(directory, { recursive: true });
  });

  it('is read by those who follow it, as long as they do', async () => {
    const log = await createLog({ level: 'info', format: 'pretty' }, { write: () => undefined });
    const lines: string[] = [];
    const end = log.follow((line) => lines.push(line));
    log.info({ count: 1 }, 'said');
    log.debug({}, 'unsaid');
    end();
    log.info({}, 'said later');
    expect(lines.map((line) => JSON.parse(line).msg)).to.deep.equal(['said']);
  });

  it('is one JSON object a line where there is no terminal', async () => {
    const lines: string[] = [];
    const log = await createLog({ level: 'info', format: 'auto' }, { write: (line: string) => lines.push(line) });
    log.debug({}, 'unsaid');
    log.info({ count: 1 }, 'said');
    expect(lines.map((line) => JSON.parse(line))).to.deep.equal([
      { level: 30, time: JSON.parse(lines[0] ?? '').time, count: 1, msg: 'said' },
    ]);
  });
});
