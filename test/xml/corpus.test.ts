import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { XmlCondition } from '../../src/xml/xml-error.ts';
import { bytewise, clientHeader, read } from './reading.ts';

interface Case {
  readonly id: string;
  readonly bytes: Buffer;
  readonly expect: 'accept' | 'not-well-formed' | 'policy' | 'restricted-xml';
}

const corpus: Case[] = readFileSync(new URL('../corpus/xmpp-xml.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .map(({ id, bytes, expect }) => ({ id, expect, bytes: Buffer.from(bytes, 'base64') }));

/**
 * What the reader says where the corpus only says that somebody must object. 'accept' is left to the layers above it:
 * the stanza is of the wrong namespace, its id too long, or it is not finished and runs into a deadline.
 */
const policies: Readonly<Record<string, 'accept' | XmlCondition>> = {
  'cdata-unclosed': 'accept',
  'syn-quote-mismatch': 'accept',
  'syn-text-top': 'bad-format',
  'ns-nl-in-uri': 'accept',
  'ns-sep-01': 'accept',
  'ns-sep-caret': 'accept',
  'ns-sep-sp': 'accept',
  'ns-sep-brace': 'accept',
  'ns-redefault': 'accept',
  'ns-streamerror-injected': 'accept',
  'enc-latin1': 'unsupported-encoding',
  'enc-utf16': 'unsupported-encoding',
  'enc-utf7': 'unsupported-encoding',
  xml11: 'policy-violation',
  // RFC 6120 §11.6: at the start, U+FEFF is a character like any other, and text has no place there.
  'bom-start': 'not-well-formed',
  'deep-10k': 'policy-violation',
  'wide-60k': 'policy-violation',
  'attrs-20k': 'policy-violation',
  longname: 'policy-violation',
  longattr: 'policy-violation',
  longtext: 'policy-violation',
  'xmlns-bomb': 'policy-violation',
  'ws-flood': 'accept',
  'many-entities': 'accept',
  'charref-long': 'accept',
  'lang-bomb': 'accept',
  'id-huge': 'accept',
  // Refused at `<!-`, before its content can be found malformed.
  'comment-bad': 'restricted-xml',
};

function expected({ id, expect }: Case): 'accept' | XmlCondition {
  const known = policies[id];
  if (known !== undefined) return known;
  if (expect === 'policy') throw new Error(`no policy for ${id}`);
  return expect;
}

/** Every place to cut a small case in two, and some places in a large one. */
function* splits(length: number): Generator<number> {
  const step = length < 3000 ? 1 : Math.floor(length / 50);
  for (let at = 1; at < length; at += step) yield at;
}

describe('the corpus of hostile XML', () => {
  it('is all there', () => {
    expect(corpus).to.have.length(196);
  });

  for (const entry of corpus) {
    it(`${entry.id}: ${expected(entry)}, wherever it is cut`, () => {
      const { bytes } = entry;
      const whole = read([bytes]);
      expect(whole.verdict).to.equal(expected(entry));
      expect(read(bytewise(bytes)), 'byte by byte').to.deep.equal(whole);
      for (const at of splits(bytes.length)) {
        expect(read([bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).to.deep.equal(whole);
      }
    });
  }

  it('hands out nothing that comes behind what it refuses', () => {
    const smuggled = Buffer.from("<message to='a@localhost'><body>\xe2</body></message><presence/>", 'latin1');
    const { events, verdict } = read([Buffer.from(clientHeader), smuggled]);
    expect(verdict).to.equal('not-well-formed');
    expect(events).to.have.length(1);
  });
});
