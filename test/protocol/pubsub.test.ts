import { expect } from 'chai';
import { eventElement, itemElement, itemEventPayload } from '../../src/protocol/pubsub.ts';
import { xml } from '../../src/xml/element.ts';
import { Payload } from '../../src/xml/payload.ts';

describe('The notification of an item (XEP-0060 §7.1.2)', () => {
  const payloads: readonly (readonly [what: string, payload: string | undefined])[] = [
    ['no payload', undefined],
    ['an empty payload', '<mood xmlns="urn:mood"/>'],
    ['content', '<mood a="&gt; x" xmlns="urn:mood"><happy/>ü &amp; <text xmlns="urn:other">t</text></mood>'],
    ['no namespace', '<mood><happy/></mood>'],
    ['the text of a declaration in an attribute', `<mood a=' xmlns="urn:mood"'><happy/></mood>`],
    ['a declaration in a child', '<mood><happy xmlns="urn:mood"/></mood>'],
    ['a prefix', '<m:mood xmlns:m="urn:mood"><m:happy/><sad/></m:mood>'],
    ['the namespace of events', '<mood xmlns="http://jabber.org/protocol/pubsub#event"/>'],
    ['a stanza', '<message xmlns="jabber:client"><body>b</body></message>'],
  ];
  for (const [what, payload] of payloads) {
    it(`means what its elements mean, with ${what}`, () => {
      const [node, id] = ['urn:mood?"<&', 'a"b'];
      const elements = Payload.of(eventElement(xml('items', { node }, itemElement(id, payload))));
      const written = itemEventPayload(node, id, payload);
      expect(written.elements().map(String)).to.deep.equal(elements.elements().map(String));
      expect(written.children.map(({ name, ns }) => `${name} ${ns}`)).to.deep.equal([
        'event http://jabber.org/protocol/pubsub#event',
      ]);
    });
  }
});
