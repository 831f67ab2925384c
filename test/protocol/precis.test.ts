import { createRequire } from 'node:module';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { satisfiesBidiRule } from '../../src/protocol/bidi-rule.ts';
import { type Derivation, derivationOf } from '../../src/protocol/code-point-class.ts';
import { contextFault } from '../../src/protocol/context-rules.ts';
import { opaqueString, PrecisError, usernameCaseMapped } from '../../src/protocol/precis.ts';

interface Uts46 {
  toUnicode(name: string, options: { checkBidi?: boolean; checkJoiners?: boolean }): { domain: string; error: boolean };
}

const uts46: Uts46 = createRequire(import.meta.url)('tr46');

function* codePoints(): Generator<string> {
  for (let code = 0; code <= 0x10ffff; code += 1) {
    if (code < 0xd800 || code > 0xdfff) yield String.fromCodePoint(code);
  }
}

const isUniform = (char: string): boolean =>
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Tangut}\p{Cn}\p{Co}]/u.test(char);

/** Every code point an identifier may hold, but for the thousands that are all alike. */
const identifierCodePoints = Array.from(codePoints()).filter(
  (char) => !isUniform(char) && ['valid', 'context'].includes(derivationOf(char)),
);

function isKeptByUts46(char: string): boolean {
  const { domain, error } = uts46.toUnicode(`a${char}`, {});
  return !error && domain === `a${char}`;
}

/** Those that UTS 46, the oracle, keeps as they are. */
const nameCodePoints = identifierCodePoints.filter((char) => !/[\p{Join_Control}.]/u.test(char) && isKeptByUts46(char));

const derivations: readonly (readonly [Derivation, string])[] = [
  ['valid', '!~azAZ09@"\u00E9\u00DF\u03C2\u06FD\u06FE\u0F0B\u3007\u4E00\uAC00\u0301\u0903\u02B9'],
  ['context', '\u00B7\u0375\u05F3\u05F4\u0660\u0669\u06F0\u06F9\u30FB\u200C\u200D'],
  ['freeform', ' \u00A0\u00AA\u00B5\u00BD\u01C5\u2163\u20DD\u20AC\u2014\u212A\u265A\uFB01\uFF21\u{1F600}'],
  [
    'disallowed',
    '\u0000\t\u007F\u0085\u00AD\u034F\u0640\u07FA\u1100\u115F\u200B\u2028\u302E\u3164\uE000\uFE0F\uFEFF\uFFFF',
  ],
  ['unassigned', '\u0378\u0530\u{1FFFD}\u{E0000}'],
];

describe('derivationOf', () => {
  for (const [derivation, chars] of derivations) {
    it(`finds what is ${derivation}`, () => {
      for (const char of chars) expect(derivationOf(char), char.codePointAt(0)?.toString(16)).to.equal(derivation);
    });
  }

  it('refuses lone surrogates', () => expect(derivationOf('\uD800')).to.equal('disallowed'));
});

describe('satisfiesBidiRule', () => {
  it('agrees with UTS 46 on every code point of identifiers', () => {
    const wrong = nameCodePoints.filter((char) =>
      [`\u05D0${char}\u05D0`, `\u05D0${char}`, `${char}\u05D0`, `\u0628${char}1`, `\u0628${char}\u0661`].some(
        (text) => !/^\p{M}/u.test(text) && satisfiesBidiRule(text) === uts46.toUnicode(text, { checkBidi: true }).error,
      ),
    );
    expect(nameCodePoints).to.have.length.above(20_000);
    expect(wrong).to.deep.equal([]);
  });
});

describe('contextFault', () => {
  it('agrees with UTS 46 on the neighbors of joiners', () => {
    const wrong = nameCodePoints.filter((char) =>
      [`a${char}\u200D`, `a${char}\u200C\u0628`, `a\u0628\u200C${char}`, `a\u0628\u200C${char}\u0628`].some((text) => {
        const fault = contextFault(text);
        return /[\u200C\u200D]/.test(fault ?? '') !== uts46.toUnicode(text, { checkJoiners: true }).error;
      }),
    );
    expect(wrong.filter((char) => contextFault(char) === undefined)).to.deep.equal([]);
  });

  it('looks at every joiner by itself', () => {
    expect(contextFault('\u0915\u094D\u200C\u0628\u200C\u0628')).to.equal(undefined);
    expect(contextFault('\u0628\u200C\u0628\u200Ca')).to.equal('\u200C');
    expect(contextFault('\u0915\u094D\u200Da\u200D')).to.equal('\u200D');
    expect(contextFault('\u{11013}\u{11046}\u200D')).to.equal(undefined);
  });

  it('takes linear time over long texts', () => {
    for (const text of ['\u30FB', '\u0628\u200C', '\u0628\u0300\u200C', 'l\u00B7', '\u0661\u06F1']) {
      expect(contextFault(text.repeat(50_000))).to.be.a('string');
    }
  });
});

describe('usernameCaseMapped', () => {
  it('changes no code point the second time, and refuses none it made', () => {
    for (const char of identifierCodePoints) {
      let once: string;
      try {
        once = usernameCaseMapped(char);
      } catch (error) {
        expect(error).to.be.instanceOf(PrecisError);
        continue;
      }
      expect(usernameCaseMapped(once)).to.equal(once);
    }
  });

  it('names what it refuses', () => {
    expect(() => usernameCaseMapped('a b')).to.throw(PrecisError, 'contains U+0020');
    expect(() => usernameCaseMapped('\u{1F600}')).to.throw(PrecisError, 'contains U+1F600');
    expect(() => usernameCaseMapped('\u0378')).to.throw(PrecisError, 'contains the unassigned U+0378');
    expect(() => usernameCaseMapped('a\u00B7')).to.throw(PrecisError, 'contains U+00B7 where it may not stand');
    expect(() => usernameCaseMapped('a\u05D0')).to.throw(PrecisError, 'mixes writing directions');
  });
});

describe('opaqueString', () => {
  it('keeps letter case, width and compatibility characters', () => {
    expect(opaqueString('\u03A0\uFF21\uFB01 \u2163')).to.equal('\u03A0\uFF21\uFB01 \u2163');
  });

  it('makes every space an ASCII one', () => {
    for (const space of '\u00A0\u1680\u2000\u2001\u2002\u2009\u200A\u202F\u205F\u3000') {
      expect(opaqueString(`a${space}b`)).to.equal('a b');
    }
  });

  it('composes', () => expect(opaqueString('e\u0301\u212A')).to.equal('\u00E9K'));

  it('names what it refuses', () => {
    expect(() => opaqueString('a\u0000')).to.throw(PrecisError, 'contains U+0000');
    expect(() => opaqueString('\u{1F468}\u200D\u{1F469}')).to.throw(
      PrecisError,
      'contains U+200D where it may not stand',
    );
  });
});
