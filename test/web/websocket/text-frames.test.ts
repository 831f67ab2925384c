import { expect } from 'chai';
import { textFrames } from '../../../src/web/websocket/text-frames.ts';

describe('The frames of text messages (RFC 6455 §5.2)', () => {
  const headers = [
    [0, '8100'],
    [125, '817d'],
    [126, '817e007e'],
    [65_535, '817effff'],
    [65_536, '817f0000000000010000'],
  ] as const;
  for (const [size, header] of headers)
    it(`have the header ${header} in front of ${size} bytes`, () => {
      const text = 'x'.repeat(size);
      expect(textFrames([[text]])).to.deep.equal(Buffer.concat([Buffer.from(header, 'hex'), Buffer.from(text)]));
    });

  it('hold the pieces of a message in UTF-8, and follow each other', () => {
    const frames = textFrames([['<a b="', Buffer.from('ü'), '"/>'], ['<ß/>'], []]);
    expect(frames.toString('latin1')).to.equal('\x81\x0b<a b="Ã¼"/>\x81\x05<Ã\x9f/>\x81\x00');
  });
});
