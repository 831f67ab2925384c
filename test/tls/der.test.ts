import { expect } from 'chai';
import fc from 'fast-check';
import { DerError, derChildren, derItems } from '../../src/tls/der.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('DER', () => {
  it('is read item by item', () => {
    expect(derItems(hex('0c 02 6869  05 00'))).to.deep.equal([
      { tag: 0x0c, content: Buffer.from('hi') },
      { tag: 0x05, content: Buffer.alloc(0) },
    ]);
    expect(derChildren(hex('30 05 0101ff 0500')).map(({ tag }) => tag)).to.deep.equal([0x01, 0x05]);
    expect(derChildren(undefined)).to.deep.equal([]);
  });

  it('has lengths of several bytes', () => {
    const content = Buffer.alloc(300, 7);
    expect(derItems(Buffer.concat([hex('0482012c'), content]))).to.deep.equal([{ tag: 0x04, content }]);
  });

  const broken: readonly (readonly [what: string, bytes: string])[] = [
    ['no length', '30'],
    ['a length that is cut off', '0482 01'],
    ['less content than it says', '0403 0102'],
    ['an indefinite length', '3080 0000'],
    ['a length of five bytes', '0485 0000000001 00'],
    ['a long tag', '1f81 0100'],
    ['something broken behind something good', '0500 04'],
  ];
  for (const [what, bytes] of broken)
    it(`is refused with ${what}`, () => {
      expect(() => derItems(hex(bytes))).to.throw(DerError);
    });

  it('ends in items that fit, or in an error, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          const total = derItems(Buffer.from(bytes)).reduce((sum, { content }) => sum + content.length + 2, 0);
          expect(total).to.be.at.most(bytes.length);
        } catch (error) {
          expect(error).to.be.instanceOf(DerError);
        }
      }),
    );
  });
});
