import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeBase64,
  decodeInitialResponse,
  decodeResponse,
} from '../../../../src/c2s/negotiation/sasl/strict-base64.ts';
import { failureOf } from './fixture.ts';

const wrong = [
  'A',
  'AA',
  'AAA',
  'AAAAA',
  'AA=',
  'A===',
  '====',
  'AA==AA==',
  'AAAA====',
  'AB==', // stray bits
  'AAB=', // stray bits
  'AA AA',
  'AAAA\n',
  '\nAAAA',
  ' ',
  'AA-_', // the URL alphabet
  'AGJ%%%!!v..',
  'AAA\u00C1',
  'AAAA\0',
  '==',
];

describe('strict base64', () => {
  it('reads back whatever was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (data) => {
        const bytes = Buffer.from(data);
        expect(decodeBase64(bytes.toString('base64'))?.equals(bytes)).to.equal(true);
      }),
      { numRuns: 200 },
    );
  });

  it('accepts one text only for the same bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('A', 'B', 'Q', 'w', '/', '=', '\n'), maxLength: 8 }), (text) => {
        const decoded = decodeBase64(text);
        if (decoded) expect(decoded.toString('base64')).to.equal(text);
      }),
      { numRuns: 500 },
    );
  });

  for (const text of wrong) {
    it(`refuses ${JSON.stringify(text)}`, async () => {
      expect(decodeBase64(text)).to.equal(undefined);
      expect((await failureOf(() => decodeResponse(text))).condition).to.equal('incorrect-encoding');
      expect((await failureOf(() => decodeInitialResponse(text))).condition).to.equal('incorrect-encoding');
    });
  }

  it('refuses a response longer than any honest one', async () => {
    expect((await failureOf(() => decodeResponse('AAAA'.repeat(4000)))).condition).to.equal('malformed-request');
  });

  it('tells an empty initial response from none (RFC 6120 §6.4.2)', async () => {
    expect(decodeInitialResponse('')).to.equal(undefined);
    expect(decodeInitialResponse('=')?.length).to.equal(0);
    expect(decodeInitialResponse('AGE=')?.toString()).to.equal('\0a');
    expect(decodeResponse('').length).to.equal(0);
    expect((await failureOf(() => decodeResponse('='))).condition).to.equal('incorrect-encoding');
  });
});
