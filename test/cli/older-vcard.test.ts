import { expect } from 'chai';
import { olderVcard } from '../../src/cli/import/older-vcard.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { serialize } from '../../src/xml/serialize.ts';

describe('A vCard4 in the form of vcard-temp (XEP-0292, XEP-0054)', () => {
  const at = (place: string) => `<parameters><type><text>${place}</text></type></parameters>`;
  for (const [given, expected] of [
    ['<fn><text>Juliet &amp; co</text></fn>', '<FN>Juliet &amp; co</FN>'],
    ['<n><surname>Capulet</surname><given>Juliet</given></n>', '<N><FAMILY>Capulet</FAMILY><GIVEN>Juliet</GIVEN></N>'],
    ['<nickname><text>J</text></nickname>', '<NICKNAME>J</NICKNAME>'],
    ['<bday><date>1990-02-03</date></bday>', '<BDAY>1990-02-03</BDAY>'],
    ['<url><uri>https://x.example/</uri></url>', '<URL>https://x.example/</URL>'],
    [
      `<email>${at('work')}<text>j@x.example</text></email>`,
      '<EMAIL><WORK/><INTERNET/><USERID>j@x.example</USERID></EMAIL>',
    ],
    [`<tel>${at('HOME')}<uri>tel:+39-45</uri></tel>`, '<TEL><HOME/><NUMBER>+39-45</NUMBER></TEL>'],
    ['<tel><uri>+39</uri></tel>', '<TEL><NUMBER>+39</NUMBER></TEL>'],
    [
      `<adr>${at('other')}<street>Via Cappello 23</street><code>37121</code></adr>`,
      '<ADR><STREET>Via Cappello 23</STREET><PCODE>37121</PCODE></ADR>',
    ],
    ['<org><text>Capulet</text></org>', '<ORG><ORGNAME>Capulet</ORGNAME></ORG>'],
    ['<impp><uri>xmpp:j@x.example</uri></impp>', '<JABBERID>j@x.example</JABBERID>'],
    ['<impp><uri>sip:j@x.example</uri></impp><email/><tel><uri/></tel><bday><text>spring</text></bday><rev/>', ''],
  ] as const)
    it(`has ${expected || 'nothing of what it cannot express'}`, () => {
      const card = olderVcard(parseElement(`<vcard xmlns="urn:ietf:params:xml:ns:vcard-4.0">${given}</vcard>`));
      const whole = expected === '' ? '<vCard xmlns="vcard-temp"/>' : `<vCard xmlns="vcard-temp">${expected}</vCard>`;
      expect(serialize(card)).to.equal(whole);
    });
});
