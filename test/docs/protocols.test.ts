import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import type { Claim } from '../../src/routing/extension.ts';
import { coreClaims } from '../../src/streams/claims.ts';
import { allExtensions } from '../extensions/all-extensions.ts';
import { Bench } from '../extensions/bench.ts';
import { suiteSpecs, suiteTable } from './compliance-suite.ts';

const root = resolve(import.meta.dirname, '..', '..');
const file = join(root, 'docs', 'protocols.md');

const heading = `# Protocols

Made from what the parts of the server claim in the source. Do not edit: \`AMPERE_UPDATE_DOCS=1 npx mocha test/docs\`
writes it anew. Every line is backed by tests that cite the specification.

| Specification | Title | Version | Status | Note |
| --- | --- | --- | --- | --- |
`;

function addressOf(spec: string): string {
  const number = spec.replace(/\D/g, '');
  return spec.startsWith('RFC')
    ? `https://www.rfc-editor.org/rfc/rfc${number}`
    : `https://xmpp.org/extensions/xep-${number}.html`;
}

function row({ spec, title, version = '', status, note = '' }: Claim): string {
  return `| [${spec}](${addressOf(spec)}) | ${title} | ${version} | ${status} | ${note} |\n`;
}

function byName(a: Claim, b: Claim): number {
  return a.spec < b.spec ? -1 : 1;
}

/** The text of every test but this one. */
function testTexts(): string {
  const directory = join(root, 'test');
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.startsWith('docs/'))
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('\n');
}

describe('docs/protocols.md', () => {
  const bench = new Bench(allExtensions);
  const claims = () =>
    [...coreClaims, ...bench.routing.hooks.extensions.flatMap((extension) => extension.claims)].sort(byName);

  it('says what the parts of the server claim', () => {
    const text = heading + claims().map(row).join('') + suiteTable(claims());
    if (process.env['AMPERE_UPDATE_DOCS'] === '1') writeFileSync(file, text);
    expect(readFileSync(file, 'utf8')).to.equal(text);
  });

  it('names every specification once, and every version of a XEP', () => {
    const specs = claims().map(({ spec }) => spec);
    expect(new Set(specs).size).to.equal(specs.length);
    for (const { spec, version } of claims()) expect(version !== undefined, spec).to.equal(spec.startsWith('XEP-'));
    for (const spec of specs) expect(spec).to.match(/^(?:RFC \d{4}|XEP-\d{4})$/);
  });

  it('covers the compliance suite for servers (XEP-0479 §2)', () => {
    const specs = claims().map(({ spec }) => spec);
    expect(suiteSpecs.filter((spec) => !specs.includes(spec))).to.deep.equal([]);
  });

  it('claims nothing that no test cites', () => {
    const tests = testTexts();
    const uncited = claims().filter(({ spec }) => !tests.includes(spec));
    expect(uncited.map(({ spec }) => spec)).to.deep.equal([]);
  });
});
