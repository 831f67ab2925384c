import { expect } from 'chai';
import * as der from '../../../src/streams/tls/der.ts';

describe('DER', () => {
  const cases: [what: string, encoded: Buffer, hex: string][] = [
    ['an empty SEQUENCE', der.sequence(), '3000'],
    ['zero', der.integer(Buffer.from([0])), '020100'],
    ['an INTEGER without its leading zeros', der.integer(Buffer.from([0, 0, 1])), '020101'],
    ['an INTEGER that would look negative', der.integer(Buffer.from([0x80])), '02020080'],
    ['TRUE', der.yes, '0101ff'],
    ['an OBJECT IDENTIFIER', der.objectIdentifier('1.2.840.113549'), '06062a864886f70d'],
    ['a BIT STRING', der.bitString(Buffer.from([0x06]), 1), '03020106'],
    ['an IMPLICIT value', der.implicit(2, Buffer.from('a')), '820161'],
    ['an EXPLICIT value', der.explicit(3, der.yes), 'a3030101ff'],
    [
      'the last UTCTime',
      der.time(Date.UTC(2049, 11, 31, 23, 59, 59)),
      `170d${Buffer.from('491231235959Z').toString('hex')}`,
    ],
    [
      'the first GeneralizedTime',
      der.time(Date.UTC(2050, 0, 1)),
      `180f${Buffer.from('20500101000000Z').toString('hex')}`,
    ],
  ];
  for (const [what, encoded, hex] of cases) {
    it(`writes ${what}`, () => {
      expect(encoded.toString('hex')).to.equal(hex);
    });
  }

  it('writes long lengths in as few bytes as they need', () => {
    expect(der.octetString(Buffer.alloc(127)).subarray(0, 2).toString('hex')).to.equal('047f');
    expect(der.octetString(Buffer.alloc(128)).subarray(0, 3).toString('hex')).to.equal('048180');
    expect(der.octetString(Buffer.alloc(256)).subarray(0, 4).toString('hex')).to.equal('04820100');
  });
});
