import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';

const folder = join(import.meta.dirname, '../../docs/decisions');
const index = join(folder, 'README.md');

const introduction = `# Decisions

The reasons behind the design: one record per decision, with its context and its consequences. This list is generated from the records.
\`AMPERE_UPDATE_DOCS=1 npx mocha test/docs\` updates it. [Contributing](../CONTRIBUTING.md#decisions) says when to add a record.

`;

/** The records in the order of their numbers, by the number that begins the file's name. */
const records = readdirSync(folder)
  .filter((name) => /^\d{4}-.*\.md$/.test(name))
  .sort();

function headingOf(record: string): string {
  return /^# (.*)$/m.exec(readFileSync(join(folder, record), 'utf8'))?.[1] ?? '';
}

/** The numbers below the greatest that no record has. */
function unused(): string[] {
  const numbers = records.map((name) => Number(name.slice(0, 4)));
  const all = Array.from({ length: Math.max(...numbers) }, (_, index) => index + 1);
  return all.filter((number) => !numbers.includes(number)).map((number) => String(number).padStart(4, '0'));
}

function made(): string {
  const lines = records.map((record) => `- [${headingOf(record)}](${record})\n`);
  return `${introduction}${lines.join('')}\nNumbers without a decision: ${unused().join(', ')}.\n`;
}

describe('docs/decisions/README.md', () => {
  it('lists every decision, and the numbers that have none', () => {
    if (process.env['AMPERE_UPDATE_DOCS'] === '1') writeFileSync(index, made());
    expect(readFileSync(index, 'utf8')).to.equal(made());
  });

  it('lists decisions under the number of their file', () => {
    for (const record of records) expect(headingOf(record)).to.match(new RegExp(`^${record.slice(0, 4)}: \\S`));
  });

  it('lists decisions with a number of their own', () => {
    const numbers = records.map((record) => record.slice(0, 4));
    expect(numbers).to.deep.equal([...new Set(numbers)]);
  });
});
