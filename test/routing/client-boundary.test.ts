import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { StreamError } from '../../src/protocol/stream-error.ts';
import { stampFrom } from '../../src/routing/client-boundary.ts';
import { readStanza } from '../protocol/read-stanza.ts';

const sender = Jid.parse('juliet@a.example/balcony');

describe("The 'from' of a client's stanza (RFC 6120 §8.1.2.1)", () => {
  const stamped = (stanza: string) => stampFrom(readStanza(stanza), sender).from?.toString();

  it('is the full JID, whatever true thing the client wrote', () => {
    for (const from of [
      '',
      "from='juliet@a.example'",
      "from='juliet@a.example/balcony'",
      "from='JULIET@A.example/balcony'",
    ]) {
      for (const kind of ['message', 'presence', 'iq']) {
        expect(stamped(`<${kind} ${from}/>`), `${kind} ${from}`).to.equal('juliet@a.example/balcony');
      }
    }
  });

  it('is the bare JID where a subscription is managed (RFC 6121 §3.1.2)', () => {
    for (const type of ['subscribe', 'subscribed', 'unsubscribe', 'unsubscribed']) {
      expect(stamped(`<presence type='${type}' from='juliet@a.example/balcony'/>`), type).to.equal('juliet@a.example');
    }
    for (const type of ['unavailable', 'probe', 'error']) {
      expect(stamped(`<presence type='${type}'/>`), type).to.equal('juliet@a.example/balcony');
    }
    expect(stamped("<message type='subscribe'/>")).to.equal('juliet@a.example/balcony');
    expect(stamped("<iq type='subscribed'/>")).to.equal('juliet@a.example/balcony');
  });

  for (const from of [
    'juliet@a.example/chamber',
    'romeo@a.example',
    'juliet@b.example/balcony',
    'a.example',
    'juliet@a.example/Balcony',
  ]) {
    it(`costs the stream if it is ${from}`, () => {
      expect(() => stamped(`<message from='${from}'/>`))
        .to.throw(StreamError)
        .with.property('condition', 'invalid-from');
    });
  }

  it('changes nothing else', () => {
    const stanza = stampFrom(
      readStanza("<message to='romeo@a.example' id='1' type='chat' xml:lang='it'><body>O</body></message>"),
      sender,
    );
    expect(stanza.toString()).to.equal(
      '<message from="juliet@a.example/balcony" to="romeo@a.example" id="1" type="chat" xml:lang="it"><body>O</body></message>',
    );
  });
});

describe('The time stamps of a client (XEP-0203 §5)', () => {
  const accepted = (stanza: string) => stampFrom(readStanza(stanza), sender).payload.bytes.toString();

  it('are left out if they claim to be ours or of the domain that is written to, and kept if they are another server’s', () => {
    const stamp = (from: string) => `<delay xmlns="urn:xmpp:delay" from="${from}" stamp="2002-09-10T23:41:07Z"/>`;
    const message = `<message><body>x</body>${stamp('a.example')}${stamp('c.example')}</message>`;
    expect(accepted(message)).to.equal(`<body>x</body>${stamp('c.example')}`);
    const abroad = message.replace('<message>', '<message to="romeo@c.example">');
    expect(accepted(abroad)).to.equal('<body>x</body>');
  });

  it('are left out if they claim to be from the recipient’s account, in any spelling and in the old form (XEP-0091)', () => {
    const stamps = [
      '<delay xmlns="urn:xmpp:delay" from="ROMEO@A.example" stamp="2002-09-10T23:41:07Z"/>',
      '<delay xmlns="urn:xmpp:delay" from="romeo@a.example/orchard" stamp="2002-09-10T23:41:07Z"/>',
      '<x xmlns="jabber:x:delay" from="romeo@a.example" stamp="20020910T23:41:07"/>',
      '<x xmlns="jabber:x:delay" from="a.example" stamp="20020910T23:41:07"/>',
    ];
    for (const stamp of stamps) {
      expect(accepted(`<message to='romeo@a.example'><body>x</body>${stamp}</message>`), stamp).to.equal(
        '<body>x</body>',
      );
    }
    const ofOthers = '<delay xmlns="urn:xmpp:delay" from="tybalt@a.example" stamp="2002-09-10T23:41:07Z"/>';
    expect(accepted(`<message to='romeo@a.example'>${ofOthers}</message>`)).to.equal(ofOthers);
  });
});
