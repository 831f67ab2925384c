import { expect } from 'chai';
import { forwardedPayload } from '../../src/protocol/forwarded.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { readStanza } from './read-stanza.ts';

const message = readStanza(
  "<message from='a@x.example/1' to='b@y.example' xml:lang='de'><body>a &lt; b</body></message>",
);
const inner =
  '<message xmlns="jabber:client" from="a@x.example/1" to="b@y.example" xml:lang="de"><body>a &lt; b</body></message>';

describe('forwarded stanzas (XEP-0297)', () => {
  it('are wrapped without a change, in the namespace of clients', () => {
    const payload = forwardedPayload({ name: 'sent', ns: 'urn:s' }, message);
    expect(payload.bytes.toString()).to.equal(
      `<sent xmlns="urn:s"><forwarded xmlns="urn:xmpp:forward:0">${inner}</forwarded></sent>`,
    );
    expect(payload.children).to.deep.equal([{ name: 'sent', ns: 'urn:s', start: 0, end: payload.bytes.length }]);
  });

  it('say when they came, and the wrapper has its attributes', () => {
    const attributes = { queryid: 'a"b', id: '7', absent: undefined };
    const payload = forwardedPayload({ name: 'result', ns: 'urn:r', attributes }, message, 0);
    const delay = '<delay xmlns="urn:xmpp:delay" stamp="1970-01-01T00:00:00Z"/>';
    expect(payload.bytes.toString()).to.equal(
      `<result xmlns="urn:r" queryid="a&quot;b" id="7"><forwarded xmlns="urn:xmpp:forward:0">${delay}${inner}</forwarded></result>`,
    );
  });

  it('mean the same on a stream between servers', () => {
    const outer = new Stanza('message', {}, forwardedPayload({ name: 'sent', ns: 'urn:s' }, message));
    const read = readStanza(outer.toBytes(), 'jabber:server').payload.elements()[0];
    expect(read?.getChild('forwarded')?.getChild('message')?.getChild('body', 'jabber:client')?.getText()).to.equal(
      'a < b',
    );
  });
});
