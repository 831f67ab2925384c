import { expect } from 'chai';
import { Jid } from '../../src/protocol/jid.ts';
import { withoutStanzaIds, withStanzaId } from '../../src/protocol/stanza-id.ts';
import { Payload } from '../../src/xml/payload.ts';
import { readStanza } from './read-stanza.ts';

const isOurs = ({ domain }: Jid) => domain === 'capulet.example';

function payload(children: string): Payload {
  return readStanza(`<message>${children}</message>`).payload;
}

describe('stanza ids (XEP-0359)', () => {
  it('are added behind the content', () => {
    const stamped = withStanzaId(payload('<body>a</body>'), Jid.parse('juliet@capulet.example'), 'x"1');
    expect(stamped.bytes.toString()).to.equal(
      '<body>a</body><stanza-id xmlns="urn:xmpp:sid:0" by="juliet@capulet.example" id="x&quot;1"/>',
    );
    const [body, id] = stamped.elements();
    expect(body?.getText()).to.equal('a');
    expect(id?.attrs['by']).to.equal('juliet@capulet.example');
    expect(stamped.find('stanza-id', 'urn:xmpp:sid:0')).not.to.equal(undefined);
  });

  it('are added to an empty payload', () => {
    const stamped = withStanzaId(Payload.empty, Jid.parse('juliet@capulet.example'), '1');
    expect(stamped.elements().map(String)).to.deep.equal([
      '<stanza-id xmlns="urn:xmpp:sid:0" by="juliet@capulet.example" id="1"/>',
    ]);
  });

  const forged = [
    "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@capulet.example' id='1'/>",
    "<stanza-id xmlns='urn:xmpp:sid:0' by='Juliet@CAPULET.example' id='1'/>",
    "<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@capulet.example/balcony'/>",
    "<s:stanza-id xmlns:s='urn:xmpp:sid:0' by='capulet.example' id='1'>text</s:stanza-id>",
  ];
  for (const id of forged) {
    it(`are removed if they are not the sender's to give: ${id}`, () => {
      const rest = withoutStanzaIds(payload(`${id}<body>a</body>${id}<thread/>`), isOurs);
      expect(rest.bytes.toString()).to.equal('<body>a</body><thread/>');
    });
  }

  const others = [
    "<stanza-id xmlns='urn:xmpp:sid:0' by='room@muc.example' id='1'/>",
    "<stanza-id xmlns='urn:xmpp:sid:0' by='@' id='1'/>",
    "<stanza-id xmlns='urn:xmpp:sid:0' id='1'/>",
    "<stanza-id xmlns='urn:other' by='juliet@capulet.example' id='1'/>",
    "<origin-id xmlns='urn:xmpp:sid:0' by='juliet@capulet.example' id='1'/>",
    "<x xmlns='urn:x'><stanza-id xmlns='urn:xmpp:sid:0' by='juliet@capulet.example' id='1'/></x>",
  ];
  for (const id of others) {
    it(`leaves ${id}`, () => {
      const before = payload(`<body/>${id}`);
      expect(withoutStanzaIds(before, isOurs).bytes.toString()).to.equal(before.bytes.toString());
    });
  }
});
