import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { Jid, JidError, prepareDomain, prepareLocal, prepareResource } from '../../src/protocol/jid.ts';

const escaped = (text: string): string =>
  text.length > 60 ? `${escaped(text.slice(0, 20))}… (${text.length} units)` : text.replace(/[^ -~]/gu, codePoint);

const codePoint = (char: string): string => `\\u{${char.codePointAt(0)?.toString(16)}}`;

/** RFC 7622 §3.5 table 1: address, localpart, domainpart, resourcepart as prepared. */
const rfcExamples: readonly (readonly [string, string, string, string])[] = [
  ['juliet@example.com', 'juliet', 'example.com', ''],
  ['juliet@example.com/foo', 'juliet', 'example.com', 'foo'],
  ['juliet@example.com/foo bar', 'juliet', 'example.com', 'foo bar'],
  ['juliet@example.com/foo@bar', 'juliet', 'example.com', 'foo@bar'],
  ['foo\\20bar@example.com', 'foo\\20bar', 'example.com', ''],
  ['fussball@example.com', 'fussball', 'example.com', ''],
  ['fu\u00DFball@example.com', 'fu\u00DFball', 'example.com', ''],
  ['\u03C0@example.com', '\u03C0', 'example.com', ''],
  ['\u03A3@example.com/foo', '\u03C3', 'example.com', 'foo'],
  ['\u03C3@example.com/foo', '\u03C3', 'example.com', 'foo'],
  ['\u03C2@example.com/foo', '\u03C2', 'example.com', 'foo'],
  ['king@example.com/\u265A', 'king', 'example.com', '\u265A'],
  ['example.com', '', 'example.com', ''],
  ['example.com/foobar', '', 'example.com', 'foobar'],
  ['a.example.com/b@example.net', '', 'a.example.com', 'b@example.net'],
];

/** RFC 7622 §3.5 table 2, without the leading space in a resourcepart that erratum 4560 lets back in. */
const rfcViolations: readonly string[] = [
  '"juliet"@example.com',
  'foo bar@example.com',
  '@example.com/',
  'henry\u2163@example.com',
  '\u265A@example.com',
  'juliet@',
  '/foobar',
];

/** Addresses and the one text all their spellings come to. */
const preparedAs: readonly (readonly [string, string])[] = [
  // separation
  ['a@b/c/d', 'a@b/c/d'],
  ['a@b//', 'a@b//'],
  ['a@b/@', 'a@b/@'],
  ['b/a@c', 'b/a@c'],
  ['b/@', 'b/@'],
  ['a@b/c@d/e', 'a@b/c@d/e'],
  ['juliet@example.com/ foo ', 'juliet@example.com/ foo '],
  // letter case
  ['JULIET@EXAMPLE.COM/BALCONY', 'juliet@example.com/BALCONY'],
  ['\u00C9milie@example.com', '\u00E9milie@example.com'],
  ['I@example.com', 'i@example.com'],
  ['\u0130@example.com', 'i\u0307@example.com'],
  ['\u0131@example.com', '\u0131@example.com'],
  ['\u1E9E@example.com', '\u00DF@example.com'],
  ['\u039F\u0394\u039F\u03A3@example.com', '\u03BF\u03B4\u03BF\u03C2@example.com'],
  ['\u0414\u043C\u0438\u0442\u0440\u0438\u0439@example.com', '\u0434\u043C\u0438\u0442\u0440\u0438\u0439@example.com'],
  ['\u{10400}@example.com', '\u{10428}@example.com'],
  // width
  ['\uFF2A\uFF55\uFF4C\uFF49\uFF45\uFF54@example.com', 'juliet@example.com'],
  ['\uFF76\uFF9E@example.com', '\u30AC@example.com'],
  ['\uFF21\uFF22@\uFF45\uFF58\uFF0E\uFF43\uFF4F\uFF4D/\uFF21', 'ab@ex.com/\uFF21'],
  // normalization
  ['e\u0301@example.com', '\u00E9@example.com'],
  ['E\u0301@example.com/e\u0301', '\u00E9@example.com/\u00E9'],
  ['a@b/\u212A', 'a@b/K'],
  ['a@b/\u2126', 'a@b/\u03A9'],
  ['a@b/\uFB01', 'a@b/\uFB01'],
  ['a\u0323\u0307@b', '\u1EA1\u0307@b'],
  ['a\u0307\u0323@b', '\u1EA1\u0307@b'],
  // localparts
  ['constructor@example.com', 'constructor@example.com'],
  ['__proto__@example.com/__proto__', '__proto__@example.com/__proto__'],
  ['123@example.com', '123@example.com'],
  ['!#$%()*+,-.;=?[\\]^_`{|}~@example.com', '!#$%()*+,-.;=?[\\]^_`{|}~@example.com'],
  ['..@example.com', '..@example.com'],
  ['xn--bcher-kva@example.com', 'xn--bcher-kva@example.com'],
  ['\u0301a@example.com', '\u0301a@example.com'],
  ['\u5F20\u4E09@example.com', '\u5F20\u4E09@example.com'],
  ['\u30E6\u30FC\u30B6\u30FC@example.com', '\u30E6\u30FC\u30B6\u30FC@example.com'],
  ['\uAE40@example.com', '\uAE40@example.com'],
  ['\u3007@example.com', '\u3007@example.com'],
  ['\u0F0B\u0F40@example.com', '\u0F0B\u0F40@example.com'],
  ['\u06FD\u06FE@example.com', '\u06FD\u06FE@example.com'],
  ['\u{20000}@example.com', '\u{20000}@example.com'],
  // joiners
  ['\u0915\u094D\u200D\u0937@example.com', '\u0915\u094D\u200D\u0937@example.com'],
  ['\u0915\u094D\u200C\u0937@example.com', '\u0915\u094D\u200C\u0937@example.com'],
  ['\u0646\u0627\u0645\u0647\u200C\u0627\u06CC@example.com', '\u0646\u0627\u0645\u0647\u200C\u0627\u06CC@example.com'],
  ['\u0628\u064B\u200C\u064B\u0628@example.com', '\u0628\u064B\u200C\u064B\u0628@example.com'],
  ['a@b/\u0915\u094D\u200D', 'a@b/\u0915\u094D\u200D'],
  // contexts
  ['col\u00B7legi@example.com', 'col\u00B7legi@example.com'],
  ['PARAL\u00B7LEL@example.com', 'paral\u00B7lel@example.com'],
  ['\u0375\u03B1@example.com', '\u0375\u03B1@example.com'],
  ['\u05D0\u05F3@example.com', '\u05D0\u05F3@example.com'],
  ['\u05D0\u05F4\u05D1@example.com', '\u05D0\u05F4\u05D1@example.com'],
  ['\u30A2\u30FB\u30A4@example.com', '\u30A2\u30FB\u30A4@example.com'],
  ['\u30FB\u3042@example.com', '\u30FB\u3042@example.com'],
  ['\u4E00\u30FB@example.com', '\u4E00\u30FB@example.com'],
  ['\uFF71\uFF65@example.com', '\u30A2\u30FB@example.com'],
  ['\u0628\u0661\u0662@example.com', '\u0628\u0661\u0662@example.com'],
  ['\u0628\u06F1\u06F2@example.com', '\u0628\u06F1\u06F2@example.com'],
  ['\u06F1\u06F2@example.com', '\u06F1\u06F2@example.com'],
  ['a@b/l\u00B7l', 'a@b/l\u00B7l'],
  // directions
  ['\u05D0\u05D1\u05D2@example.com', '\u05D0\u05D1\u05D2@example.com'],
  ['\u05D0\u05D1\u05D21@example.com', '\u05D0\u05D1\u05D21@example.com'],
  ['\u05D0-\u05D1@example.com', '\u05D0-\u05D1@example.com'],
  ['\u05D0\u05B0@example.com', '\u05D0\u05B0@example.com'],
  ['\u0645\u062D\u0645\u062F@example.com', '\u0645\u062D\u0645\u062F@example.com'],
  ['a@b/\u05D0a', 'a@b/\u05D0a'],
  // resourceparts
  ['a@b/\u00A0x', 'a@b/ x'],
  ['a@b/x\u3000y', 'a@b/x y'],
  ['a@b/x\u1680y', 'a@b/x y'],
  ['a@b/\u{1F600}', 'a@b/\u{1F600}'],
  ['a@b/\u{1F44D}\u{1F3FD}', 'a@b/\u{1F44D}\u{1F3FD}'],
  ['a@b/\u2163', 'a@b/\u2163'],
  ['a@b/"&\'/:<>@', 'a@b/"&\'/:<>@'],
  ['a@b/\u00AB\u20AC\u00BB', 'a@b/\u00AB\u20AC\u00BB'],
  ['a@b/\u00BD', 'a@b/\u00BD'],
  // domain names
  ['localhost', 'localhost'],
  ['LOCALHOST', 'localhost'],
  ['a@localhost', 'a@localhost'],
  ['example.com.', 'example.com'],
  ['a@Example.Com./r', 'a@example.com/r'],
  ['conference.xmpp-1.example.com', 'conference.xmpp-1.example.com'],
  ['1.example.com', '1.example.com'],
  ['3com.example', '3com.example'],
  ['a.b.c.d.e.f', 'a.b.c.d.e.f'],
  ['a@example.0xg', 'a@example.0xg'],
  // internationalized domain names
  ['b\u00FCcher.example', 'b\u00FCcher.example'],
  ['B\u00DCCHER.example', 'b\u00FCcher.example'],
  ['bu\u0308cher.example', 'b\u00FCcher.example'],
  ['xn--bcher-kva.example', 'b\u00FCcher.example'],
  ['XN--BCHER-KVA.EXAMPLE', 'b\u00FCcher.example'],
  ['a@chat.xn--bcher-kva.example/r', 'a@chat.b\u00FCcher.example/r'],
  ['fa\u00DF.de', 'fa\u00DF.de'],
  ['xn--fa-hia.de', 'fa\u00DF.de'],
  ['\u03B2\u03CC\u03BB\u03BF\u03C2.com', '\u03B2\u03CC\u03BB\u03BF\u03C2.com'],
  ['\u4F8B\u3048.\u30C6\u30B9\u30C8', '\u4F8B\u3048.\u30C6\u30B9\u30C8'],
  ['\u4F8B\u3048\u3002\u30C6\u30B9\u30C8\u3002', '\u4F8B\u3048.\u30C6\u30B9\u30C8'],
  ['\uFF45\uFF58\uFF41\uFF4D\uFF50\uFF4C\uFF45.com', 'example.com'],
  ['exam\u00ADple.com', 'example.com'],
  ['\u212A.example', 'k.example'],
  ['\u05D0\u05D1.example', '\u05D0\u05D1.example'],
  ['\u0646\u0627\u0645\u0647\u200C\u0627\u06CC.com', '\u0646\u0627\u0645\u0647\u200C\u0627\u06CC.com'],
  ['\u0915\u094D\u200D\u0937.example', '\u0915\u094D\u200D\u0937.example'],
  ['l\u00B7l.cat', 'l\u00B7l.cat'],
  ['\u30A2\u30FB\u30A4.example', '\u30A2\u30FB\u30A4.example'],
  // IP addresses
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1.', '127.0.0.1'],
  ['a@192.0.2.1/r', 'a@192.0.2.1/r'],
  ['\uFF11\uFF12\uFF17.0.0.1', '127.0.0.1'],
  ['[::1]', '[::1]'],
  ['a@[2001:DB8::1]/r', 'a@[2001:db8::1]/r'],
  ['[2001:db8:0:0:0:0:0:1]', '[2001:db8::1]'],
  ['[::ffff:192.0.2.1]', '[::ffff:c000:201]'],
];

const refused: readonly string[] = [
  // separation
  '',
  '@',
  '/',
  '@/',
  'a@',
  '@b',
  'a@b/',
  'b/',
  'a@/c',
  'a@@b',
  'a@b@c',
  'a@b@c/d',
  '@b/c',
  // localparts
  'a b@example.com',
  ' a@example.com',
  'a&b@example.com',
  "a'b@example.com",
  'a:b@example.com',
  'a<b@example.com',
  'a>b@example.com',
  'a"b@example.com',
  'a\u0000@example.com',
  'a\tb@example.com',
  'a\nb@example.com',
  'a\u007F@example.com',
  'a\u0085@example.com',
  '\uFF20a@example.com',
  '\uFF0Fa@example.com',
  '\uFF1Aa@example.com',
  '\uFF02a@example.com',
  'a\u3000b@example.com',
  '\u212Aing@example.com',
  '\u212Bngstrom@example.com',
  '\uFB01sh@example.com',
  '\u01C5@example.com',
  '\u00AA@example.com',
  '\u00B5@example.com',
  '\u00B2@example.com',
  '\u017F@example.com',
  '\u{1F600}@example.com',
  'a\uFE0F@example.com',
  'so\u00ADft@example.com',
  'a\u200Bb@example.com',
  'a\u2060b@example.com',
  '\uFEFFa@example.com',
  'a\u034F@example.com',
  'a\u202Eb@example.com',
  'a\u2066b@example.com',
  '\u1100\u1161@example.com',
  '\uFFA1@example.com',
  '\u3164@example.com',
  '\u115F@example.com',
  '\u0640@example.com',
  '\u07FA@example.com',
  '\u3031@example.com',
  '\u302E@example.com',
  '\u303B@example.com',
  '\u20AC@example.com',
  '\u2014@example.com',
  '\u00BF@example.com',
  '\u16EE@example.com',
  '\u0378@example.com',
  '\u{E0041}@example.com',
  '\uE000@example.com',
  '\uFDD0@example.com',
  '\uFFFE@example.com',
  '\u{10FFFF}@example.com',
  '\uD800@example.com',
  'a\uDC00@example.com',
  '\uFFFD@example.com',
  '\u2028@example.com',
  '\u0600@example.com',
  // joiners
  '\u200D@example.com',
  '\u200Ca@example.com',
  'a\u200D@example.com',
  'a\u200Cb@example.com',
  '\u0628\u200D\u0628@example.com',
  '\u0628\u200C@example.com',
  '\u0627\u200C\u0628@example.com',
  '\u0915\u094D\u200D\u200D@example.com',
  '\u{1F468}\u200D\u{1F469}@example.com',
  // contexts
  'a\u00B7b@example.com',
  'l\u00B7@example.com',
  '\u00B7l@example.com',
  'l\u00B7\u00B7l@example.com',
  '\u0375a@example.com',
  '\u03B1\u0375@example.com',
  'a\u05F3@example.com',
  '\u05F4\u05D0@example.com',
  '\u30FB@example.com',
  'a\u30FBb@example.com',
  '\uFF65@example.com',
  '\u0628\u0661\u06F1@example.com',
  '\u06F1\u0661@example.com',
  // directions
  'a\u05D0@example.com',
  '\u05D0a@example.com',
  '\u05D0a\u05D0@example.com',
  '1\u05D0@example.com',
  '\u05D0-@example.com',
  '\u0661@example.com',
  'a\u0661@example.com',
  '\u0628\u06611@example.com',
  '\u05D0\u4E00\u05D0@example.com',
  // resourceparts
  'a@b/\u0000',
  'a@b/\t',
  'a@b/\r\n',
  'a@b/\u007F',
  'a@b/\u0080',
  'a@b/\u00AD',
  'a@b/\u200B',
  'a@b/\u202E',
  'a@b/\uFEFF',
  'a@b/\uD83D',
  'a@b/\uE000',
  'a@b/\uFFFF',
  'a@b/\u0378',
  'a@b/\u1100\u1161',
  'a@b/\u2028',
  'a@b/\u0640',
  'a@b/a\u200Db',
  'a@b/\u30FB',
  'a@b/L\u00B7L',
  'a@b/\u0661\u06F1',
  // domain names
  '.',
  '..',
  '.example.com',
  'example..com',
  'example.com..',
  'a@.',
  '-a.example',
  'a-.example',
  'ab--cd.example',
  'under_score.example',
  '_xmpp-client._tcp.example.com',
  '*.example.com',
  'exa mple.com',
  ' example.com',
  'example.com ',
  'example.com:5222',
  'exam"ple.com',
  'exam%70le.com',
  'example.com\n',
  'example.com\u0000',
  'a@b\\c',
  // internationalized domain names
  'xn--',
  'xn--.example',
  'xn--a.example',
  'xn--abc-.example',
  'xn--99999999.example',
  'xn--\u00FC.example',
  'xn--bcher-KVA\u00FC.example',
  'xn--xn---epa.example',
  'xn--n3h.example',
  '\u2603.example',
  '\u{1F600}.example',
  'xn--53h.example',
  '\u20D0a.example',
  'a\u20D0.example',
  '\u0301a.example',
  '\u0378.example',
  '\u{E000}.example',
  'a\u200Db.example',
  'a\u200Cb.example',
  '\u05D0a.example',
  '1\u05D0.example',
  'a\u05D0.example',
  '\u05D0\u05D1.1a',
  'l\u00B7a.example',
  'a\u30FBb.example',
  '\u0628\u0661\u06F1.example',
  '\u00AD',
  'example.\u00AD.com',
  '\u3002',
  'exa\uFF20mple.com',
  'exa\uFF0Fmple.com',
  '\u2100.example',
  'exa\uD800mple.com',
  'b\u00FC_cher.example',
  // IP addresses
  '127.1',
  '127.0.0.01',
  '0177.0.0.1',
  '0x7f.0.0.1',
  '0x7f000001',
  '2130706433',
  '256.0.0.1',
  '1.2.3.4.5',
  'example.com.1',
  'b\u00FCcher.1',
  '::1',
  '[]',
  '[::1',
  '::1]',
  '[::1]:5222',
  '[fe80::1%eth0]',
  '[127.0.0.1]',
  '[v1.fe80]',
  '[::1].example',
  '[:::1]',
];

describe('Jid.parse', () => {
  for (const [address, local, domain, resource] of rfcExamples) {
    it(`reads ${escaped(address)}`, () => {
      const { local: localRead, domain: domainRead, resource: resourceRead } = Jid.parse(address);
      expect([localRead, domainRead, resourceRead]).to.deep.equal([local, domain, resource]);
    });
  }

  for (const [address, canonical] of preparedAs) {
    it(`reads ${escaped(address)} as ${escaped(canonical)}`, () => {
      const jid = Jid.parse(address);
      expect(jid.toString()).to.equal(canonical);
      expect(Jid.parse(canonical).equals(jid)).to.equal(true);
    });
  }

  for (const address of [...rfcViolations, ...refused]) {
    it(`refuses ${escaped(address)}`, () => expect(() => Jid.parse(address)).to.throw(JidError));
  }

  it('tells which part is wrong, and how', () => {
    expect(() => Jid.parse('a\u00ADb@example.com'))
      .to.throw(JidError, 'localpart contains U+00AD')
      .with.property('part', 'localpart');
    expect(() => Jid.parse('a&b@example.com')).to.throw('localpart contains &');
    expect(() => Jid.parse('a\u0378@b')).to.throw('localpart contains the unassigned U+0378');
    expect(() => Jid.parse('a\u05D0@b')).to.throw('localpart mixes writing directions');
    expect(() => Jid.parse('@b')).to.throw('localpart is empty');
    expect(() => Jid.parse('a@')).to.throw('domainpart is empty');
    expect(() => Jid.parse('b/')).to.throw('resourcepart is empty');
    expect(() => Jid.parse('a@127.1')).to.throw('domainpart is neither an IPv4 address nor a domain name');
    expect(() => Jid.parse('a@b/a\u200Db')).to.throw('resourcepart contains U+200D where it may not stand');
  });
});

/** A text of exactly so many bytes, ending in a multi-byte character. */
const ofBytes = (bytes: number, last: string): string => 'a'.repeat(bytes - Buffer.byteLength(last)) + last;

describe('the length of JID parts', () => {
  for (const last of ['a', '\u00E9', '\u4E00', '\u{20000}']) {
    const width = Buffer.byteLength(last);

    it(`is at most 1023 bytes, the last character ${width} bytes wide`, () => {
      expect(prepareLocal(ofBytes(1023, last))).to.equal(ofBytes(1023, last));
      expect(prepareResource(ofBytes(1023, last))).to.equal(ofBytes(1023, last));
      expect(() => prepareLocal(ofBytes(1024, last))).to.throw(JidError, 'longer than 1023 bytes');
      expect(() => prepareResource(ofBytes(1024, last))).to.throw(JidError, 'longer than 1023 bytes');
    });
  }

  it('is counted after preparation', () => {
    expect(prepareLocal('\uFF41'.repeat(1023))).to.equal('a'.repeat(1023));
    expect(prepareResource('\u03B1\u0313\u0301\u0345'.repeat(341))).to.equal('\u1F84'.repeat(341));
    expect(() => prepareLocal('\u0130'.repeat(400))).to.throw(JidError, 'longer than 1023 bytes');
  });

  it('is refused without preparing what could never fit', () => {
    expect(() => prepareResource('\u00AD'.repeat(5000))).to.throw(JidError, 'longer than 1023 bytes');
    expect(() => prepareDomain('\u00AD'.repeat(5000))).to.throw(JidError, 'longer than 1023 bytes');
  });

  it('is at most 63 bytes in a label and 253 in a domain name, as A-labels', () => {
    const label = 'a'.repeat(63);
    const name = `${label}.${label}.${label}.${'a'.repeat(61)}`;
    expect(prepareDomain(name)).to.equal(name);
    expect(prepareDomain(`${name}.`)).to.equal(name);
    expect(() => prepareDomain(`${name}a`)).to.throw(JidError);
    expect(() => prepareDomain(`${label}a.example`)).to.throw(JidError);
    expect(prepareDomain(`\u00FC${'a'.repeat(55)}`)).to.equal(`\u00FC${'a'.repeat(55)}`);
    expect(() => prepareDomain(`\u00FC${'a'.repeat(56)}`)).to.throw(JidError);
    expect(() => prepareDomain('\u00FC.'.repeat(40) + label)).to.throw(JidError);
    expect(() => prepareDomain('a.'.repeat(600))).to.throw(JidError);
  });

  it('may be the longest in all parts at once', () => {
    const address = `${ofBytes(1023, 'a')}@example.com/${ofBytes(1023, 'b')}`;
    expect(Jid.parse(address).toString()).to.equal(address);
  });
});

describe('Jid', () => {
  const juliet = Jid.parse('juliet@example.com/balcony');

  it('is made of parts, which it prepares', () => {
    expect(Jid.from('Juliet', 'EXAMPLE.com.', 'balcony')).to.satisfy((jid: Jid) => jid.equals(juliet));
    expect(Jid.from('', 'example.com').toString()).to.equal('example.com');
    expect(Jid.from('', 'example.com', 'r').toString()).to.equal('example.com/r');
    expect(() => Jid.from('a@b', 'example.com')).to.throw(JidError, 'localpart contains @');
    expect(() => Jid.from('a/b', 'example.com')).to.throw(JidError, 'localpart contains /');
    expect(() => Jid.from('a', 'example.com/r')).to.throw(JidError, 'domainpart');
    expect(() => Jid.from('a', '')).to.throw(JidError, 'domainpart is empty');
  });

  it('has a bare form', () => {
    expect(juliet.isBare).to.equal(false);
    expect(juliet.bare().isBare).to.equal(true);
    expect(juliet.bare().toString()).to.equal('juliet@example.com');
    expect(juliet.bare().bare()).to.equal(juliet.bare());
    expect(Jid.parse('example.com/r').bare().toString()).to.equal('example.com');
  });

  it('takes another resource', () => {
    expect(juliet.withResource('e\u0301').toString()).to.equal('juliet@example.com/\u00E9');
    expect(juliet.bare().withResource('balcony').equals(juliet)).to.equal(true);
    expect(Jid.parse('example.com').withResource('a/b@c').toString()).to.equal('example.com/a/b@c');
    expect(() => juliet.withResource('')).to.throw(JidError, 'resourcepart is empty');
    expect(() => juliet.withResource('\u0000')).to.throw(JidError, 'resourcepart contains U+0000');
  });

  it('is equal by its prepared text', () => {
    const long = 'r'.repeat(500);
    expect(Jid.parse(`a@b/${long}`).equals(Jid.parse(`A@B/${long}`))).to.equal(true);
    expect(juliet.equals(juliet.bare())).to.equal(false);
    expect(juliet.equals(Jid.parse('juliet@example.com/Balcony'))).to.equal(false);
  });

  it('is one object for one short text', () => {
    // The cache may have dropped an older one meanwhile.
    const one = Jid.parse('juliet@example.com/balcony');
    expect(Jid.parse('juliet@example.com/balcony')).to.equal(one);
    expect(Jid.parse('JULIET@example.com/balcony')).to.equal(one);
    expect(Jid.from('juliet', 'example.com', 'balcony')).to.equal(one);
  });

  it('keeps apart what two spellings must not join', () => {
    const texts = ['a@b', 'a@b/a', 'b/a@b', 'b/a', 'b', 'a', 'a@b/a@b', 'a@a'].map((text) =>
      Jid.parse(text).toString(),
    );
    expect(new Set(texts).size).to.equal(8);
  });
});

describe('what a Jid keeps alive', () => {
  it('is never the chunk its text was cut from', () => {
    setFlagsFromString('--expose-gc');
    const collect: () => void = runInNewContext('gc');
    const address = (n: number): string => `Long-enough-to-be-sliced-${n}@example.com/resource-of-this-session`;
    const cut = (n: number): Jid => Jid.parse(`${' '.repeat(60_000)}${address(n)}`.slice(60_000));
    collect();
    const before = process.memoryUsage().heapUsed;
    const jids = Array.from({ length: 500 }, (_, n) => cut(n));
    collect();
    expect(process.memoryUsage().heapUsed - before).to.be.below(500 * 10_000);
    expect(jids).to.have.length(500);
  });
});

const interesting = [...new Set([...preparedAs.flat(), ...refused].flatMap((text) => Array.from(text)))];
const awkwardText = fc.oneof(
  fc.array(fc.constantFrom(...interesting), { minLength: 1, maxLength: 6 }).map((chars) => chars.join('')),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
);

function ifPrepared(prepare: (text: string) => string, text: string, check: (prepared: string) => void): void {
  let prepared: string;
  try {
    prepared = prepare(text);
  } catch (error) {
    expect(error).to.be.instanceOf(JidError);
    return;
  }
  check(prepared);
}

describe('preparing JIDs', () => {
  for (const prepare of [prepareLocal, prepareDomain, prepareResource]) {
    it(`changes nothing the second time (${prepare.name})`, () => {
      fc.assert(
        fc.property(awkwardText, (text) => {
          ifPrepared(prepare, text, (once) => expect(prepare(once)).to.equal(once));
        }),
        { numRuns: 3000 },
      );
    });
  }

  it('comes back from its text', () => {
    const address = fc.tuple(awkwardText, fc.constantFrom('', '@'), awkwardText, fc.constantFrom('', '/'), awkwardText);
    fc.assert(
      fc.property(address, (pieces) => {
        const again = (text: string): string => {
          const { local, domain, resource } = Jid.parse(text);
          return Jid.from(local, domain, resource).toString();
        };
        ifPrepared(
          (text) => Jid.parse(text).toString(),
          pieces.join(''),
          (once) => expect(again(once)).to.equal(once),
        );
      }),
      { numRuns: 3000 },
    );
  });

  it('never leaves a second spelling of an ASCII name', () => {
    fc.assert(
      fc.property(awkwardText, (text) => {
        ifPrepared(prepareLocal, text, (local) => expect(local).to.match(/^[^A-Z\uFF01-\uFF5E\u212A"&'/:<>@ ]+$/));
      }),
      { numRuns: 2000 },
    );
  });
});
