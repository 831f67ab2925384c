import { expect } from 'chai';
import { carbonOf, isCarbon, looksLikeCarbon, unwrapCarbon } from '../../src/protocol/carbon.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { readStanza } from './read-stanza.ts';

const juliet = Jid.parse('juliet@capulet.example');
const phone = Jid.parse('juliet@capulet.example/phone');
const message = readStanza(
  "<message from='romeo@montague.example/garden' to='juliet@capulet.example/hall' id='1' type='chat' xml:lang='en'>" +
    "<body>&lt;ü&gt;</body><x:y xmlns:x='urn:x'><z/></x:y></message>",
);
const wrapped = (direction: string, from: string, content = '') =>
  readStanza(
    `<message from='${from}' to='${phone}'><${direction} xmlns='urn:xmpp:carbons:2'>${content}</${direction}></message>`,
  );

describe('a carbon (XEP-0280 §7, §8)', () => {
  it('carries the whole message, from the account, with its type', () => {
    expect(carbonOf(message, 'received', juliet).with({ to: phone }).toString()).to.equal(
      '<message from="juliet@capulet.example" to="juliet@capulet.example/phone" type="chat">' +
        '<received xmlns="urn:xmpp:carbons:2"><forwarded xmlns="urn:xmpp:forward:0">' +
        '<message xmlns="jabber:client" from="romeo@montague.example/garden" to="juliet@capulet.example/hall" id="1"' +
        ' type="chat" xml:lang="en"><body>&lt;ü&gt;</body><x:y xmlns:x=\'urn:x\'><z/></x:y></message>' +
        '</forwarded></received></message>',
    );
  });

  it('has no type if the message has none', () => {
    expect(carbonOf(message.with({ type: undefined }), 'sent', juliet).type).to.equal(undefined);
  });

  for (const direction of ['sent', 'received'] as const) {
    it(`is taken apart again, also after a client's stream or a store has read it: ${direction}`, () => {
      const carbon = carbonOf(message, direction, juliet).with({ to: phone });
      for (const one of [carbon, readStanza(carbon.toBytes())]) {
        expect(isCarbon(one)).to.equal(true);
        expect(unwrapCarbon(one)?.direction).to.equal(direction);
        expect(unwrapCarbon(one)?.message.toString()).to.equal(message.toString());
      }
    });
  }

  it('comes from the bare JID of its receiver and from nobody else', () => {
    for (const from of ['romeo@montague.example', 'capulet.example', `${phone}`]) {
      for (const direction of ['sent', 'received']) {
        const forged = wrapped(direction, from);
        expect([looksLikeCarbon(forged.payload), isCarbon(forged)]).to.deep.equal([true, false]);
        expect(unwrapCarbon(forged)).to.equal(undefined);
      }
    }
  });

  it('is not every message of the account, and no other element of the namespace', () => {
    expect(isCarbon(message.with({ from: juliet, to: phone }))).to.equal(false);
    expect(looksLikeCarbon(wrapped('private', 'romeo@montague.example').payload)).to.equal(false);
  });
});
