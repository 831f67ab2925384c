import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { expect } from 'chai';

const root = resolve(import.meta.dirname, '../..');
const document = join(root, 'docs/amp-requirements.md');

/** Items without a test, each with the reason. */
const untested = new Map<string, string>([
  ['N-3', 'for senders'],
  ['N-7', 'for requesters'],
  ['N-28', 'the duty of the operator'],
  ['D-43', 'comes with multicast'],
]);

const heading = '\n## Tests\n';
const introduction = `
Generated from the titles of the tests that name an item. Do not edit: \`AMPERE_UPDATE_DOCS=1 npx mocha test/docs\` updates it.

| Item | Tests |
|---|---|
`;

/** The tests of AMP, as paths from the root of the project. */
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts') && /(?:^|\/)amp/.test(path))
  .map((path) => `test/${path}`)
  .sort();

/** The titles of tests in a file, and of rows in tables of tests that name an item in parentheses. */
function titlesIn(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const titles = text.matchAll(/\b(?:it|describe)\(\s*(['`])(.*?)\1/gs);
  const rows = text.matchAll(/(['`])([^'`\n]*\((?:[^()\n]*, )?[ND]-\d[^'`\n]*)\1/g);
  return [...titles, ...rows].map(([, , title = '']) => title);
}

const citations = new Map(
  files.map((file) => [file, new Set(titlesIn(file).flatMap((title) => title.match(/\b[ND]-\d+/g) ?? []))]),
);

function testsOf(item: string): string[] {
  return files.filter((file) => citations.get(file)?.has(item));
}

function row(item: string): string {
  const tests = testsOf(item).map((file) => `[${basename(file, '.test.ts')}](../${file})`);
  return `| ${item} | ${tests.join(', ') || untested.get(item)} |\n`;
}

describe('docs/amp-requirements.md', () => {
  const text = readFileSync(document, 'utf8');
  const [body = ''] = text.split(heading);
  const items = [...body.matchAll(/^- \*\*([ND]-\d+)\*\*/gm)].map(([, item = '']) => item);

  it('lists the tests that name each item', () => {
    const made = body + heading + introduction + items.map(row).join('');
    if (process.env['AMPERE_UPDATE_DOCS'] === '1') writeFileSync(document, made);
    expect(readFileSync(document, 'utf8')).to.equal(made);
  });

  it('has either a test or a reason for every item', () => {
    expect(items.filter((item) => testsOf(item).length === 0)).to.deep.equal([...untested.keys()]);
  });

  it('has every item that tests name', () => {
    const named = [...citations.values()].flatMap((set) => [...set]);
    expect(named.filter((item) => !items.includes(item))).to.deep.equal([]);
  });
});
