import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { bad, good, type Row } from '../federation/certificate-matrix.ts';

const document = join(import.meta.dirname, '../../docs/federation.md');
const [start, end] = ['<!-- certificates: made from the tests -->\n', '<!-- /certificates -->'];
const heading = '| a certificate that … | accepted |\n|---|---|\n';

function row([title]: Row, accepted: string): string {
  return `| ${title} | ${accepted} |\n`;
}

describe('docs/federation.md', () => {
  it('has a row for every certificate that is tested', () => {
    const rows = [...good.map((one) => row(one, 'yes')), ...bad.map((one) => row(one, 'no'))];
    const text = readFileSync(document, 'utf8');
    const [before, rest = ''] = text.split(start);
    const made = `${before}${start}\n${heading}${rows.join('')}\n${end}${rest.split(end)[1]}`;
    if (process.env['AMPERE_UPDATE_DOCS'] === '1') writeFileSync(document, made);
    expect(readFileSync(document, 'utf8')).to.equal(made);
  });
});
