import { expect } from 'chai';
import { parseElement } from '../../src/xml/parse-element.ts';
import { XmlError } from '../../src/xml/xml-error.ts';
import { bytewise, clientHeader, clientLimits, read } from './reading.ts';

const verdict = (text: string | Buffer): string => {
  try {
    parseElement(text);
    return 'accept';
  } catch (error) {
    if (error instanceof XmlError) return error.condition;
    throw error;
  }
};

function inStream(text: string): string {
  return read(bytewise(Buffer.from(clientHeader + text))).verdict;
}

/** Content of an element, and what is made of it. */
const contents: [text: string, verdict: string][] = [
  ['a > b', 'accept'],
  [']] >', 'accept'],
  [']]&gt;', 'accept'],
  [']]>', 'not-well-formed'],
  ['&#93;]>', 'accept'],
  ['<![CDATA[]]>]>', 'accept'],
  ['<![CDATA[]]]]><![CDATA[>]]>', 'accept'],
  ['<![CDATA [x]]>', 'not-well-formed'],
  ['<!>', 'not-well-formed'],
  ['<!d', 'not-well-formed'],
  ['&lt;&gt;&amp;&quot;&apos;', 'accept'],
  ['&LT;', 'restricted-xml'],
  ['&é;', 'restricted-xml'],
  ['&a#b;', 'not-well-formed'],
  ['&1;', 'not-well-formed'],
  ['&;', 'not-well-formed'],
  ['& ', 'not-well-formed'],
  ['&#x1F600;&#128512;&#0000000065;', 'accept'],
  ['&#X41;', 'not-well-formed'],
  ['&#x;', 'not-well-formed'],
  ['&#8;', 'not-well-formed'],
  ['&#xD800;', 'not-well-formed'],
  ['&#xFFFE;', 'not-well-formed'],
  ['&#x110000;', 'not-well-formed'],
  ['\u007f\u0080\u0085\u2028\ufffd\u{1fffe}', 'accept'],
  ['\u000b', 'not-well-formed'],
  ['\uffff', 'not-well-formed'],
  ['<?x?>', 'restricted-xml'],
  ['<?xml-stylesheet ?>', 'restricted-xml'],
  ['<?xml ?>', 'not-well-formed'],
  ['<?XML ?>', 'not-well-formed'],
  ['<? x?>', 'not-well-formed'],
  ['<!-- -->', 'restricted-xml'],
];

/** Whole elements, and what is made of them. */
const elements: [text: string, verdict: string][] = [
  ['<a\t\r\n/>', 'accept'],
  ["<a b = 'c'\nd=\"'\" />", 'accept'],
  ['<a></a >', 'accept'],
  ['<a></ a>', 'not-well-formed'],
  ['<a></a b>', 'not-well-formed'],
  ['<a></ab>', 'not-well-formed'],
  ['<ab></a>', 'not-well-formed'],
  ["<a b='c'd='e'/>", 'not-well-formed'],
  ["<a b='<'/>", 'not-well-formed'],
  ["<a b='\u0001'/>", 'not-well-formed'],
  ['<a b=c/>', 'not-well-formed'],
  ['<a b/>', 'not-well-formed'],
  ['<a / >', 'not-well-formed'],
  ['<élan _.-1·\u0300=""/>', 'accept'],
  ['<·/>', 'not-well-formed'],
  ['<a:\u0300 xmlns:a="u"/>', 'not-well-formed'],
  ['<×/>', 'not-well-formed'],
  ['<\u{10000}\u{effff}/>', 'accept'],
  ['<\u{f0000}/>', 'not-well-formed'],
  ['<1/>', 'not-well-formed'],
  ['<:a/>', 'not-well-formed'],
  ['<a:/>', 'not-well-formed'],
  ['<a:b:c xmlns:a="u"/>', 'not-well-formed'],
  ['<a:1 xmlns:a="u"/>', 'not-well-formed'],
  ['<a:b/>', 'not-well-formed'],
  ['<a b:c=""/>', 'not-well-formed'],
  ['<xml:a xml:lang=""/>', 'accept'],
  ['<xmlns:a/>', 'not-well-formed'],
  ['<a xmlns:p="u"><p:b/></a>', 'accept'],
  ['<a><b xmlns:p="u"/><p:c/></a>', 'not-well-formed'],
  ['<a xmlns:p=""/>', 'not-well-formed'],
  ['<a xmlns=""/>', 'accept'],
  ['<a xmlns:xml="http://www.w3.org/XML/1998/namespace"/>', 'accept'],
  ['<a xmlns:xml="u"/>', 'not-well-formed'],
  ['<a xmlns:p="http://www.w3.org/XML/1998/namespace"/>', 'not-well-formed'],
  ['<a xmlns="http://www.w3.org/XML/1998/namespace"/>', 'not-well-formed'],
  ['<a xmlns:p="http://www.w3.org/2000/xmlns/"/>', 'not-well-formed'],
  ['<a xmlns="http://www.w3.org/2000/xmlns/"/>', 'not-well-formed'],
  ['<a xmlns:xmlns="u"/>', 'not-well-formed'],
  ["<a b='' b=''/>", 'not-well-formed'],
  ["<a xmlns='u' xmlns='u'/>", 'not-well-formed'],
  ["<a xmlns:p='u' xmlns:p='u'/>", 'not-well-formed'],
  ["<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>", 'not-well-formed'],
  ["<a xmlns:p='u' xmlns:q='v' p:b='' q:b='' b=''/>", 'accept'],
  ["<a a='' b='' c='' d='' e='' f='' g='' h='' i='' a=''/>", 'not-well-formed'],
  ["<a to='' at='' ot='' ta=''/>", 'accept'],
];

describe('well-formedness', () => {
  for (const [text, expected] of contents) {
    it(`${expected}: ${JSON.stringify(text)} as content`, () => {
      expect(verdict(`<a>${text}</a>`)).to.equal(expected);
      expect(inStream(`<a>${text}</a>`)).to.equal(expected);
    });
  }
  for (const [text, expected] of elements) {
    it(`${expected}: ${JSON.stringify(text)}`, () => {
      expect(verdict(text)).to.equal(expected);
      expect(inStream(text)).to.equal(expected);
    });
  }

  it('of UTF-8 is that of the standard, to the byte', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const legal = (bytes: Buffer): boolean => {
      try {
        return !/[\ufffe\uffff]/.test(decoder.decode(bytes));
      } catch {
        return false;
      }
    };
    const edges = [0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbe, 0xbf, 0xc0];
    for (let lead = 0x80; lead <= 0xff; lead++) {
      for (const second of edges) {
        for (const third of edges) {
          for (const bytes of [
            Buffer.of(lead, second),
            Buffer.of(lead, second, third),
            Buffer.of(lead, second, third, 0x80),
          ]) {
            const text = Buffer.concat([Buffer.from('<a>'), bytes, Buffer.from('</a>')]);
            expect(verdict(text) === 'accept', bytes.toString('hex')).to.equal(legal(bytes));
          }
        }
      }
    }
  });
});

describe('parseElement', () => {
  it('resolves references and normalizes line ends', () => {
    expect(parseElement('<a>\r\n\r&#13;&lt;&#x1F600;<![CDATA[\r&amp;\r\n]]>é</a>').children).to.deep.equal([
      '\n\n\r<😀\n&amp;\né',
    ]);
  });

  it('normalizes attribute values', () => {
    expect(parseElement('<a b="\t\n\r\r\nx&#9;&#10;&#13;&quot;" c=\'">\'/>').attrs).to.deep.include({
      b: '    x\t\n\r"',
      c: '">',
    });
  });

  it('takes one whole element, and white space around it', () => {
    expect(verdict('<?xml version="1.0"?>\n<a/>\n')).to.equal('accept');
    for (const text of ['', ' ', '<a>', '<a', '<a/><b/>', '<a/>x', 'x<a/>', '</a>', '<a/></a>', '\ufeff<a/>']) {
      expect(verdict(text), text).to.equal('not-well-formed');
    }
    for (const text of ['<a/><!-- -->', '<!-- --><a/>', '<a/><?x?>', '<!DOCTYPE a><a/>']) {
      expect(verdict(text), text).to.equal('restricted-xml');
    }
  });

  it('refuses text that has no UTF-8', () => {
    expect(verdict('<a>\ud800</a>')).to.equal('not-well-formed');
  });

  it('keeps to limits', () => {
    const limits = { ...clientLimits, maxBytes: 10, maxDepth: 2 };
    expect(() => parseElement('<a><b/></a>', limits)).to.throw(XmlError, 'bytes');
    expect(() => parseElement('<a><b><c>', limits)).to.throw(XmlError, 'deep');
    expect(parseElement('<a><b/></a>'.slice(0, 11), { ...limits, maxBytes: 11 }).children).to.have.length(1);
  });

  it('can be used again after a refusal', () => {
    expect(verdict('<a xmlns:p="u" xmlns="v"><b>&nope;')).to.equal('restricted-xml');
    expect(parseElement('<a>x</a>').toString()).to.equal('<a>x</a>');
    expect(verdict('<p:a/>')).to.equal('not-well-formed');
  });

  it('takes any depth that its limits allow', () => {
    const depth = 100_000;
    const text = `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`;
    expect(parseElement(text).toString()).to.have.length(text.length - 3);
  });
});
