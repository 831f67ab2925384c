import { expect } from 'chai';
import { parseFrame } from '../../src/xml/parse-frame.ts';
import { parseWrapper } from '../../src/xml/parse-wrapper.ts';
import { unlimited } from '../../src/xml/xml-limits.ts';

const wrapped = (content: string, attributes = '') => Buffer.from(`<w xmlns="urn:w" ${attributes}>${content}</w>`);

/** The children of a wrapper as text. */
const childrenOf = (content: string, attributes = '') =>
  parseWrapper(wrapped(content, attributes), unlimited).children.map(String);

describe('A wrapper', () => {
  it('has a name, attributes and children, which keep their bytes', () => {
    const { name, ns, attributes, fault } = parseWrapper(wrapped('', 'a="1" xml:lang="de"'), unlimited);
    expect([name, ns, fault]).to.deep.equal(['w', 'urn:w', undefined]);
    expect(attributes.map(({ name: its, value }) => [its, value])).to.deep.equal([
      ['a', '1'],
      ['lang', 'de'],
    ]);
    expect(childrenOf(`<a  xmlns = 'jabber:client'>&#x41;</a>\n\t<b/>`)).to.deep.equal([
      `<a  xmlns = 'jabber:client'>&#x41;</a>`,
      '<b/>',
    ]);
  });

  it('gives its children the declarations that they borrow', () => {
    const [one, two] = childrenOf('<p:a p:b="1"><c/></p:a><d/>', 'xmlns:p="urn:p" xmlns:unused="urn:u"');
    expect(one).to.equal('<p:a xmlns="jabber:client" xmlns:p="urn:p" p:b="1"><c/></p:a>');
    expect(two).to.equal('<d xmlns="jabber:client"/>');
    expect(parseFrame(one ?? '').ns).to.equal('urn:p');
  });

  for (const [what, content, condition] of [
    ['text', 'hello<a/>', 'bad-format'],
    ['text between children', '<a/>x<b/>', 'bad-format'],
    ['half a child', '<a/><b', 'not-well-formed'],
    ['a comment', '<a/><!-- -->', 'restricted-xml'],
    ['a prefix that nobody declares', '<x:a/>', 'not-well-formed'],
  ] as const) {
    it(`with ${what} in it has a fault and no children, but its attributes`, () => {
      const { fault, children, attributes } = parseWrapper(wrapped(content, 'a="1"'), unlimited);
      expect([fault?.condition, children, attributes[0]?.value]).to.deep.equal([condition, [], '1']);
    });
  }

  it('without a start tag is an error', () => {
    for (const text of ['', ' ', 'x', '<w', '<w a="1" a="2"/>', '<?xml version="1.0"?>'])
      expect(() => parseWrapper(Buffer.from(text), unlimited), text).to.throw();
  });

  it('does not remember the one before it', () => {
    expect(() => parseWrapper(wrapped('<x:a/>', 'xmlns:x="urn:x"').subarray(0, -1), unlimited)).not.to.throw();
    expect(childrenOf('<a/>')).to.deep.equal(['<a/>']);
    expect(parseWrapper(wrapped('<x:a/>'), unlimited).fault?.condition).to.equal('not-well-formed');
  });
});
