import { expect } from 'chai';
import { shownContent } from '../../../src/web/watch/shown-content.ts';
import { parseFrame } from '../../../src/xml/parse-frame.ts';

const contentOf = (xml: string) => parseFrame(Buffer.from(`<message xmlns="jabber:client">${xml}</message>`)).payload;

describe('The content that a watcher sees', () => {
  const cases: readonly (readonly [content: string, hidden: string])[] = [
    ['<body>Good morrow</body>', '<body>…</body>'],
    ['<body/>', '<body/>'],
    [
      '<x xmlns="jabber:x:data" type="submit"><field var="a"><value>1</value></field></x>',
      '<x xmlns="jabber:x:data" type="…"><field var="…"><value>…</value></field></x>',
    ],
    [
      '<error type="cancel"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>',
      '<error type="cancel"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>',
    ],
  ];
  for (const [content, hidden] of cases)
    it(`hides texts and values: ${content}`, () => {
      expect(shownContent(contentOf(content), false)).to.equal(hidden);
      expect(shownContent(contentOf(content), true)).to.equal(content);
    });

  it('leaves out what is large', () => {
    expect(shownContent(contentOf(`<body>${'x'.repeat(65_536)}</body>`), true)).to.equal('…');
  });

  it('never has what may be a password', () => {
    const register = '<query xmlns="jabber:iq:register"><password>secret</password></query>';
    expect(shownContent(contentOf(register), true)).to.equal(
      '<query xmlns="jabber:iq:register"><password>…</password></query>',
    );
  });
});
