import { expect } from 'chai';
import fc from 'fast-check';
import { type Element, xml } from '../../src/xml/element.ts';
import { isXmlText } from '../../src/xml/escape.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { Payload } from '../../src/xml/payload.ts';
import { serialize } from '../../src/xml/serialize.ts';
import { askOurs, askSaxes, treeOf } from './oracles.ts';

const special = [
  '&',
  '<',
  '>',
  '"',
  "'",
  ']]>',
  '\t',
  '\n',
  '\r',
  '\r\n',
  '\u0085',
  '\u2028',
  '\0',
  '\u0008',
  '\ud800',
  '\udfff',
  '\ufffe',
  '😀',
];
const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom(...special), fc.string({ unit: 'binary', maxLength: 1 })),
  maxLength: 12,
});
const text = anyText.filter(isXmlText);
const localName = fc.oneof(
  fc.constantFrom('a', 'b', '__proto__', 'constructor', 'é'),
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9._-]{0,6}$/),
);
const prefixed = fc.tuple(fc.constantFrom('', 'p:', 'q:'), localName).map(([prefix, local]) => prefix + local);
const namespace = fc.oneof(
  fc.constantFrom('urn:a', 'jabber:client'),
  text.filter((value) => value !== ''),
);

/** Elements that declare what they use: both prefixes on each of them, a default namespace on some. */
const { tree } = fc.letrec<{ tree: Element; child: Element | string }>((tie) => ({
  child: fc.oneof({ depthSize: 'small' }, text, tie('tree')),
  tree: fc
    .tuple(
      prefixed,
      fc.record({ xmlns: fc.oneof(fc.constant(undefined), fc.constant(''), namespace), p: namespace, q: namespace }),
      fc.dictionary(localName, text, { maxKeys: 4 }),
      fc.array(tie('child'), { maxLength: 4 }),
    )
    .map(([name, { xmlns, p, q }, attributes, children]) => {
      const declarations = { xmlns, 'xmlns:p': `p${p}`, 'xmlns:q': `q${q}` };
      const entries = Object.entries(attributes).filter(([key]) => !/^xml/i.test(key));
      return xml(name, { ...declarations, ...Object.fromEntries(entries) }, ...children);
    }),
}));

describe('writing and reading again', () => {
  it('gives the same tree, and what is written every parser takes', () => {
    fc.assert(
      fc.property(tree, (element) => {
        const written = serialize(element);
        expect(treeOf(parseElement(written))).to.deep.equal(treeOf(element));
        expect(askSaxes(Buffer.from(written))).to.not.equal(undefined);
        expect(serialize(parseElement(written))).to.equal(written);
      }),
    );
  });

  it('gives the same tree as a child of a stanza', () => {
    fc.assert(
      fc.property(tree, tree, (first, second) => {
        const payload = Payload.of(first, second);
        expect(payload.elements().map((element) => element.getName())).to.deep.equal([
          first.getName(),
          second.getName(),
        ]);
        expect(payload.children[1]?.end).to.equal(payload.bytes.length);
        const again = Payload.of(...payload.elements());
        expect(again.elements().map(treeOf)).to.deep.equal(payload.elements().map(treeOf));
      }),
    );
  });

  it('gives the same characters, or throws', () => {
    fc.assert(
      fc.property(anyText, (value) => {
        const element = xml('a', { b: value }, value);
        if (isXmlText(value)) expect(askOurs(Buffer.from(serialize(element)))).to.deep.equal(treeOf(element));
        else expect(() => serialize(element)).to.throw(RangeError);
      }),
    );
  });
});
