import { expect } from 'chai';
import { discoInfoElement, discoItemsElement } from '../../src/protocol/disco.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { serialize } from '../../src/xml/serialize.ts';

describe('service discovery results (XEP-0030)', () => {
  it('writes identities, features once each, and forms', () => {
    const element = discoInfoElement(
      {
        identities: [
          { category: 'server', type: 'im', name: 'Ampere' },
          { category: 'pubsub', type: 'pep', lang: 'en' },
        ],
        features: ['msgoffline', 'urn:xmpp:ping', 'msgoffline'],
        forms: [{ type: 'result', formType: 'f', fields: [] }],
      },
      'a<b',
    );
    expect(serialize(element)).to.equal(
      '<query xmlns="http://jabber.org/protocol/disco#info" node="a&lt;b">' +
        '<identity category="server" type="im" name="Ampere"/><identity category="pubsub" type="pep" xml:lang="en"/>' +
        '<feature var="msgoffline"/><feature var="urn:xmpp:ping"/>' +
        '<x xmlns="jabber:x:data" type="result"><field var="FORM_TYPE" type="hidden"><value>f</value></field></x></query>',
    );
  });

  it('writes items', () => {
    const element = discoItemsElement([
      { jid: Jid.parse('upload.example'), name: 'Upload' },
      { jid: 'a@example', node: 'n' },
    ]);
    expect(serialize(element)).to.equal(
      '<query xmlns="http://jabber.org/protocol/disco#items">' +
        '<item jid="upload.example" name="Upload"/><item jid="a@example" node="n"/></query>',
    );
  });

  it('writes an empty result', () => {
    expect(serialize(discoItemsElement([], 'n'))).to.equal(
      '<query xmlns="http://jabber.org/protocol/disco#items" node="n"/>',
    );
  });
});
