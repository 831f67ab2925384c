import { expect } from 'chai';
import * as fc from 'fast-check';
import { childOf, el, serialize, textOf } from '../../../src/browser/chat/element.ts';
import { readXml } from './read-xml.ts';

describe('The XML of the chat page', () => {
  it('declares a namespace where it differs from that of the parent (RFC 7395 §3.3.3)', () => {
    const message = el(
      'jabber:client',
      'message',
      { to: 'a@b', id: undefined },
      el('jabber:client', 'body', {}, 'x'),
      el('urn:xmpp:hints', 'store'),
    );
    expect(serialize(message)).to.equal(
      '<message xmlns="jabber:client" to="a@b"><body>x</body><store xmlns="urn:xmpp:hints"/></message>',
    );
  });

  it('is read as it was written, whatever a user has typed', () => {
    const typed = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(typed, typed, (text, attribute) => {
        const written = serialize(
          el('jabber:client', 'message', { id: attribute }, el('jabber:client', 'body', {}, text)),
        );
        const read = readXml(written);
        const allowed = (any: string) => any.replaceAll(/[^\P{Cc}\t\n\r\u007f-\u009f]/gu, '');
        expect(textOf(childOf(read, 'body', 'jabber:client'))).to.equal(allowed(text));
        expect(read.attributes['id']?.replaceAll(/\s/g, ' ')).to.equal(allowed(attribute).replaceAll(/\s/g, ' '));
      }),
    );
  });

  it('leaves out what XML cannot contain, which would end the stream', () => {
    expect(serialize(el('a', 'b', {}, 'x\u0000\ud800y\uffffz\udc00\u{1f339}'))).to.equal(
      '<b xmlns="a">xyz\u{1f339}</b>',
    );
  });
});
