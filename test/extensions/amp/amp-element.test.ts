import { expect } from 'chai';
import fc from 'fast-check';
import { ampsOf, isAmp } from '../../../src/extensions/amp/element/amp-element.ts';
import { signedCopy } from '../../../src/extensions/amp/run/delivered-copy.ts';
import { ns } from '../../../src/protocol/namespaces.ts';
import { attribute, childElements, type Element, nsOf } from '../../../src/xml/element.ts';
import type { Payload } from '../../../src/xml/payload.ts';
import { juliet, message, romeo } from './cast.ts';

const ends = { sender: romeo, recipient: juliet };

const attributeNames = ['status', 'per-hop', 'from', 'to', 'action', 'condition', 'value', 'a:from', 'a:status', 'x'];
const piece = fc.constantFrom(
  'deliver',
  'stored',
  'é',
  '𐀀',
  '>',
  '&lt;rule/&gt;',
  '&#x41;',
  '&amp;amp;',
  '&#10;',
  '\n',
  '\t',
  '',
);
const value = fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join(''));
const space = fc.constantFrom(' ', '\n', '\t  ');
const noSpace = fc.constantFrom('', ' ', '\n');

const oneAttribute = fc.record({
  name: fc.constantFrom(...attributeNames),
  before: space,
  equals: fc.constantFrom('=', ' = ', '\n='),
  value: fc.oneof(
    value.map((text) => `'${text}"'`),
    value.map((text) => `"${text}'"`),
    value.map((text) => `'${text}'`),
  ),
});

const attributes = fc
  .uniqueArray(oneAttribute, { selector: ({ name }) => name, maxLength: 5 })
  .map((all) => all.map((one) => `${one.before}${one.name}${one.equals}${one.value}`).join(''));

function element(names: readonly string[], content: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const declared = fc.constantFrom(
    '',
    '',
    ` xmlns='${ns.amp}'`,
    " xmlns='urn:o'",
    ` xmlns:a='urn:o'`,
    ` xmlns:o="${ns.amp}"`,
  );
  return fc
    .tuple(fc.constantFrom(...names), declared, attributes, noSpace, fc.option(content, { nil: undefined }), noSpace)
    .map(([name, declaration, written, room, inside, behind]) => {
      const start = `<${name}${declaration}${written}${room}`;
      return inside === undefined ? `${start}/>` : `${start}>${inside}</${name}${behind}>`;
    });
}

function contentOf(child: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const text = fc.constantFrom(' ', 'text', '&lt;', '<![CDATA[<rule/>]]>', 'é');
  return fc.array(fc.oneof(child, text), { maxLength: 4 }).map((parts) => parts.join(''));
}

const deepRule = element(['rule', 'a:rule'], fc.constant(''));
const rule = element(['rule', 'a:rule', 'o:rule', 'rules'], contentOf(deepRule));
const amp = element(['amp', 'a:amp', 'a:amp', 'o:amp', 'body'], contentOf(rule));
const spelled = fc
  .tuple(fc.array(amp, { minLength: 1, maxLength: 3 }), fc.constantFrom('', ' ', 'text'))
  .map(([children, between]) => message(children.join(between), `id='m1' xmlns:a='${ns.amp}' xmlns:o='urn:o'`).payload);

/** The content of a tree as an AMP element. */
function readTree(tree: Element) {
  const rules = childElements(tree).filter((child) => child.getName() === 'rule' && nsOf(child) === ns.amp);
  return {
    isReport: attribute(tree, 'status') !== undefined,
    perHop: attribute(tree, 'per-hop'),
    from: attribute(tree, 'from'),
    to: attribute(tree, 'to'),
    rules: rules.map((one) => ({
      action: attribute(one, 'action'),
      condition: attribute(one, 'condition'),
      value: attribute(one, 'value'),
    })),
  };
}

function read(payload: Payload) {
  return ampsOf(payload).map(({ amp: { roomAt: _, ...said } }) => said);
}

/** A canonical form of a tree, without the order of its attributes and the place of its declarations. */
function sorted(tree: Element): unknown {
  const inside = tree.children.map((child) => (typeof child === 'string' ? child : sorted(child)));
  return { name: tree.getName(), ns: nsOf(tree), attributes: new Map(expandedAttributes(tree)), inside };
}

function expandedAttributes(tree: Element): [string, string][] {
  return Object.entries(tree.attrs).flatMap(([name, text]) => {
    if (text === undefined || name === 'xmlns' || name.startsWith('xmlns:')) return [];
    const [prefix, local] = name.includes(':') ? name.split(':') : [undefined, name];
    return [[prefix === undefined ? name : `{${tree.findNS(prefix)}}${local}`, text]];
  });
}

function signedTrees(payload: Payload): unknown[] {
  const trees = payload.elements();
  const request = trees.find(
    (tree, index) => isAmp(payload.children[index]!) && attribute(tree, 'status') === undefined,
  );
  if (request) Object.assign(request.attrs, { from: romeo.toString(), to: juliet.toString() });
  return trees.map(sorted);
}

describe('an <amp/> read from its tags', () => {
  it('equals the one read from its tree, at first and when its bytes are cached (N-18, N-39)', () => {
    fc.assert(
      fc.property(spelled, (payload) => {
        const trees = payload.children.filter(isAmp).map((child) => readTree(payload.element(child)));
        expect(read(payload)).to.deep.equal(trees);
        expect(read(payload)).to.deep.equal(trees);
      }),
      { numRuns: 1000 },
    );
  });

  it('is signed like its tree, and nothing else changes (N-37, N-38)', () => {
    fc.assert(
      fc.property(spelled, (payload) => {
        const sent = message('').with({ payload });
        const { payload: signed } = signedCopy(sent, ends);
        expect(signed.elements().map(sorted)).to.deep.equal(signedTrees(payload));
        const names = payload.children.map(({ name, ns: of }) => [name, of]);
        expect(signed.children.map(({ name, ns: of }) => [name, of])).to.deep.equal(names);
        expect(betweenChildren(signed)).to.equal(betweenChildren(payload));
      }),
      { numRuns: 1000 },
    );
  });

  it('is not confused with one that differs in a byte', () => {
    const spellings = ['stored', 'direct', 'sto&#114;ed', 'störed', 'stored '];
    const values = spellings.map((one) => message(`<amp xmlns='${ns.amp}'><rule value='${one}'/></amp>`).payload);
    const read = values.map((payload) => ampsOf(payload)[0]?.amp.rules[0]?.value);
    expect(read).to.deep.equal(['stored', 'direct', 'stored', 'störed', 'stored ']);
  });
});

function betweenChildren(payload: Payload): string {
  return payload.without(() => true).bytes.toString();
}
