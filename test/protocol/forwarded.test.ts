import { expect } from 'chai';
import { forwardedElement } from '../../src/protocol/forwarded.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { serialise } from '../../src/xml/serialise.ts';
import { readStanza } from './read-stanza.ts';

const stanza = readStanza("<message from='a@b.example/c' to='d@e.example'><body>hi</body></message>", 'jabber:server');
const inner = '<message xmlns="jabber:client" from="a@b.example/c" to="d@e.example"><body>hi</body></message>';

describe('forwarded stanzas (XEP-0297)', () => {
  it('carry the stanza in its namespace', () => {
    expect(serialise(forwardedElement(stanza))).to.equal(`<forwarded xmlns="urn:xmpp:forward:0">${inner}</forwarded>`);
  });

  it('say since when', () => {
    const delay = { from: Jid.parse('b.example'), stampMs: 0 };
    expect(serialise(forwardedElement(stanza, delay))).to.equal(
      '<forwarded xmlns="urn:xmpp:forward:0">' +
        `<delay xmlns="urn:xmpp:delay" from="b.example" stamp="1970-01-01T00:00:00Z"/>${inner}</forwarded>`,
    );
  });
});
