import { expect } from 'chai';
import fc from 'fast-check';
import { DialbackKeys } from '../../src/federation/dialback-keys.ts';

describe('Dialback keys (XEP-0185)', () => {
  it('are those of the specification', () => {
    const keys = new DialbackKeys(Buffer.from('s3cr3tf0rd14lb4ck'));
    const claim = { receiving: 'xmpp.example.com', originating: 'example.org', streamId: 'D60000229F' };
    const key = '37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643';
    expect(keys.make(claim)).to.equal(key);
    expect(keys.verify(key, claim)).to.equal(true);
  });

  it('differ wherever the domains are cut', () => {
    const keys = new DialbackKeys(Buffer.from('secret'));
    const make = (receiving: string, originating: string) => keys.make({ receiving, originating, streamId: 'x' });
    expect(make('a.b', 'c')).to.not.equal(make('a', 'b.c'));
    expect(make('a', 'b')).to.not.equal(make('b', 'a'));
  });

  it('are no others, of whatever length', () => {
    const keys = new DialbackKeys(Buffer.from('secret'));
    const claim = { receiving: 'a', originating: 'b', streamId: 'x' };
    fc.assert(fc.property(fc.string(), (text) => !keys.verify(text, claim)));
    expect(keys.verify(`${keys.make(claim)}0`, claim)).to.equal(false);
    expect(new DialbackKeys(Buffer.from('other')).verify(keys.make(claim), claim)).to.equal(false);
  });
});
