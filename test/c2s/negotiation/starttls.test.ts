import { expect } from 'chai';
import { starttls } from '../../../src/c2s/negotiation/starttls.ts';
import { StreamError } from '../../../src/protocol/stream-error.ts';
import { readFrame } from '../../protocol/read-stanza.ts';
import { StubStream } from './stub-stream.ts';

describe('STARTTLS (RFC 6120 §5.4)', () => {
  const feature = starttls({ required: false });
  const frame = readFrame("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");

  it('is its own element and no other', () => {
    expect(feature.handles(frame)).to.equal(true);
    for (const other of [
      '<starttls/>',
      "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
      "<starttls xmlns='urn:x'/>",
    ]) {
      expect(feature.handles(readFrame(other)), other).to.equal(false);
    }
  });

  it('secures the stream if it was offered', () => {
    const stream = new StubStream();
    feature.negotiate(stream, frame, true);
    expect(stream.events).to.deep.equal(['secure']);
  });

  it('fails and ends the stream if it was not (RFC 6120 §5.4.2.2)', () => {
    const stream = new StubStream();
    expect(() => feature.negotiate(stream, frame, false))
      .to.throw(StreamError)
      .with.property('condition', 'policy-violation');
    expect(stream.events).to.deep.equal(['<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>']);
  });
});
