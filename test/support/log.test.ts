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
