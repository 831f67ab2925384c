import { expect } from 'chai';
import { attribute, childElements, nsOf, textOf, xml } from '../../src/xml/element.ts';
import { parseElement } from '../../src/xml/parse-element.ts';

describe('xml', () => {
  it('builds a tree, and leaves out what is undefined', () => {
    const tree = xml('a', { b: 1, c: true, d: undefined, e: '' }, 'x', undefined, xml('f'), 'y', 'z');
    expect(tree.toString()).to.equal('<a b="1" c="true" e="">x<f/>yz</a>');
    expect(tree.children).to.have.length(3);
    expect(childElements(tree)[0]?.parent).to.equal(tree);
  });

  it('takes any name for an attribute', () => {
    const tree = xml('a', JSON.parse('{"__proto__":"x","constructor":"y"}'));
    expect(attribute(tree, '__proto__')).to.equal('x');
    expect(attribute(tree, 'constructor')).to.equal('y');
    expect(attribute(tree, 'hasOwnProperty')).to.equal(undefined);
    expect(tree.toString()).to.equal('<a __proto__="x" constructor="y"/>');
  });
});

describe('an element', () => {
  it('knows its namespace, also where it is undeclared', () => {
    const tree = parseElement("<a xmlns='u' xmlns:p='v'><b/><p:c/><d xmlns=''><e/></d></a>");
    const [b, c, d] = childElements(tree);
    expect([tree, b!, c!, d!, childElements(d!)[0]!].map(nsOf)).to.deep.equal(['u', 'u', 'v', '', '']);
    expect(tree.getChild('d', 'u')).to.equal(undefined);
    expect(tree.getChild('c', 'v')).to.equal(c);
    expect(nsOf(xml('a'))).to.equal('');
  });

  it('has text of its own', () => {
    expect(textOf(parseElement('<a>x<b>not this</b>y<![CDATA[<z>]]></a>'))).to.equal('xy<z>');
  });

  it('can be read inside of a default namespace', () => {
    expect(nsOf(parseElement('<a/>', undefined, 'u'))).to.equal('u');
    expect(nsOf(parseElement("<a xmlns=''/>", undefined, 'u'))).to.equal('');
    expect(parseElement('<a/>', undefined, 'u').toString()).to.equal('<a xmlns="u"/>');
  });
});
