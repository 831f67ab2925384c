import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { readResults } from '../results.ts';
import { messagesChart } from './chart.ts';
import { withResults } from './document.ts';

const documents = resolve(import.meta.dirname, '../../../docs');

describe('docs/performance.md', () => {
  const read = (name: string): string => readFileSync(resolve(documents, name), 'utf8');

  it('says what was measured, and nothing else', async () => {
    const results = await readResults(resolve(documents, 'performance/results.json'));
    if (!results) throw new Error('docs/performance/results.json is missing');
    const document = read('performance.md');
    expect(withResults(document, results)).to.equal(document);
    expect(messagesChart(results)).to.equal(read('performance/messages.svg'));
  });
});
