import { expect } from 'chai';
import { readHints } from '../../src/protocol/hints.ts';
import { readStanza } from './read-stanza.ts';

function read(children: string): string[] {
  const hints = readHints(readStanza(`<message>${children}</message>`).payload);
  return Object.entries(hints).flatMap(([name, given]) => (given === true ? [name] : []));
}

describe('hints (XEP-0334)', () => {
  const table: readonly [children: string, given: string[]][] = [
    ['', []],
    ['<body>no-store</body>', []],
    ["<no-store xmlns='urn:xmpp:hints'/>", ['noStore']],
    ["<no-permanent-store xmlns='urn:xmpp:hints'/>", ['noPermanentStore']],
    ["<no-copy xmlns='urn:xmpp:hints'/>", ['noCopy']],
    ["<store xmlns='urn:xmpp:hints'/>", ['store']],
    ["<body/><no-copy xmlns='urn:xmpp:hints'/><h:no-store xmlns:h='urn:xmpp:hints'/>", ['noStore', 'noCopy']],
    ["<no-store/><store xmlns='urn:other'/>", []],
    ["<x xmlns='urn:other'><no-store xmlns='urn:xmpp:hints'/></x>", []],
    ["<else xmlns='urn:xmpp:hints'/>", []],
  ];
  for (const [children, given] of table) {
    it(`finds ${given.join(' and ') || 'none'} in '${children}'`, () => expect(read(children)).to.deep.equal(given));
  }
});
