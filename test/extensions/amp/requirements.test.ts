import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';

const root = resolve(import.meta.dirname, '../../..');

/** Items that a single function cannot decide: tested in conversations with the whole server, or not up to the server. */
const elsewhere =
  'N-3 N-5 N-6 N-7 N-17 N-20 N-28 N-41 N-42 N-46 N-47 N-48 N-49 N-50 ' +
  'D-7 D-8 D-9 D-15 D-16 D-29 D-32 D-33 D-34 D-36 D-37 D-38 D-39 D-40 D-41 D-43 D-46 D-47 D-49';

const all = ['N', 'D'].flatMap((list) => Array.from({ length: 50 }, (_, index) => `${list}-${index + 1}`));

/** The items named in the titles of tests. */
function cited(): Set<string> {
  const texts = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.test.ts') && name !== 'requirements.test.ts')
    .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));
  const titles = texts.flatMap((text) => [...text.matchAll(/\b(?:it|describe)\(\s*(['`])(.*?)\1/gs)]);
  const rows = texts.flatMap((text) => [...text.matchAll(/\[\s*(['`])([^'`\n]*\([ND]-\d[^'`\n]*)\1/g)]);
  return new Set([...titles, ...rows].flatMap(([, , title = '']) => title.match(/\b[ND]-\d+/g) ?? []));
}

describe('docs/amp-requirements.md', () => {
  it('has every item once, in order', () => {
    const text = readFileSync(join(root, 'docs/amp-requirements.md'), 'utf8');
    expect([...text.matchAll(/^- \*\*([ND]-\d+)\*\*/gm)].map(([, item]) => item)).to.deep.equal(all);
  });

  it('has a test for every item that a function can decide', () => {
    const others = new Set(elsewhere.split(' '));
    expect(all.filter((item) => !others.has(item) && !cited().has(item))).to.deep.equal([]);
  });

  it('is cited correctly: no test names an unknown item, or one that is listed as tested elsewhere', () => {
    const known = new Set(all);
    const others = new Set(elsewhere.split(' '));
    expect([...cited()].filter((item) => !known.has(item) || others.has(item))).to.deep.equal([]);
  });
});
