import { expect } from 'chai';
import { delayElement, delayStampMs, withoutDelaysOf } from '../../src/protocol/delay.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { serialize } from '../../src/xml/serialize.ts';
import { readStanza } from './read-stanza.ts';

const stamp = "stamp='2002-09-10T23:08:25Z'";

function strip(children: string): string {
  return withoutDelaysOf(readStanza(`<message>${children}</message>`).payload, 'capulet.example').bytes.toString();
}

describe('delays (XEP-0203)', () => {
  it('writes who and when', () => {
    const delay = { from: Jid.parse('capulet.example'), stampMs: Date.parse('2002-09-10T23:08:25Z') };
    expect(serialize(delayElement(delay))).to.equal(
      '<delay xmlns="urn:xmpp:delay" from="capulet.example" stamp="2002-09-10T23:08:25Z"/>',
    );
    expect(delayStampMs(delayElement(delay))).to.equal(delay.stampMs);
  });

  for (const attributes of ['', "stamp=''", "stamp='99999-01-01T00:00:00Z'", "stamp='20020910T23:08:25'"]) {
    it(`reads no time from <delay ${attributes}>`, () => {
      expect(delayStampMs(parseElement(`<delay xmlns='urn:xmpp:delay' ${attributes}/>`))).to.equal(undefined);
    });
  }

  const forged = [
    `<delay xmlns='urn:xmpp:delay' from='capulet.example' ${stamp}/>`,
    `<delay xmlns='urn:xmpp:delay' from='CAPULET.example' ${stamp}>held</delay>`,
    `<delay xmlns='urn:xmpp:delay' from='capulet.example/x'/>`,
    `<d:delay xmlns:d='urn:xmpp:delay' from='capulet.example' ${stamp}/>`,
  ];
  for (const delay of forged) {
    it(`takes out ${delay}`, () => {
      expect(strip(`<body>a</body>${delay}<thread/>${delay}`)).to.equal('<body>a</body><thread/>');
    });
  }

  const others = [
    `<delay xmlns='urn:xmpp:delay' ${stamp}/>`,
    `<delay xmlns='urn:xmpp:delay' from='room@muc.example' ${stamp}/>`,
    `<delay xmlns='urn:xmpp:delay' from='juliet@capulet.example' ${stamp}/>`,
    `<delay xmlns='urn:xmpp:delay' from='@@' ${stamp}/>`,
    `<delay xmlns='urn:other' from='capulet.example' ${stamp}/>`,
    `<delayed xmlns='urn:xmpp:delay' from='capulet.example' ${stamp}/>`,
    `<delay from='capulet.example' ${stamp}/>`,
  ];
  for (const delay of others) {
    it(`leaves ${delay}`, () => expect(strip(`<body/>${delay}`)).to.equal(`<body/>${delay}`));
  }
});
