import { expect } from 'chai';
import { childElements, xml } from '../../src/xml/element.ts';
import { escapeAttribute, escapeText, isXmlText } from '../../src/xml/escape.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { serialize } from '../../src/xml/serialize.ts';

describe('escaping', () => {
  it('of text', () => {
    expect(escapeText('a<b>&"\'\t\n\r]]>é😀')).to.equal('a&lt;b&gt;&amp;"\'\t\n&#13;]]&gt;é😀');
  });

  it('of attribute values', () => {
    expect(escapeAttribute('<>&"\'\t\n\ré')).to.equal('&lt;&gt;&amp;&quot;&apos;&#9;&#10;&#13;é');
  });

  it('refuses what XML cannot carry', () => {
    for (const text of ['\0', '\u000b', '\u001f', '\ufffe', '\uffff', '\ud800', '\udc00', 'a\ud83dz']) {
      expect(isXmlText(text), JSON.stringify(text)).to.equal(false);
      expect(() => escapeText(text)).to.throw(RangeError);
      expect(() => escapeAttribute(text)).to.throw(RangeError);
    }
    for (const text of ['', '\t\n\r', '\u007f\u0085\u{1fffe}', '😀']) expect(isXmlText(text)).to.equal(true);
  });
});

describe('serialize', () => {
  it('leaves out a declaration that only repeats what is inherited', () => {
    const tree = xml('a', { xmlns: 'u' }, xml('b', { xmlns: 'u' }), xml('c', { xmlns: 'v' }, xml('d', { xmlns: 'u' })));
    expect(serialize(tree)).to.equal('<a xmlns="u"><b/><c xmlns="v"><d xmlns="u"/></c></a>');
    expect(serialize(tree, 'u')).to.equal('<a><b/><c xmlns="v"><d xmlns="u"/></c></a>');
    expect(serialize(xml('a', { xmlns: '' }))).to.equal('<a/>');
    expect(serialize(xml('a', { xmlns: '' }), 'u')).to.equal('<a xmlns=""/>');
  });

  it('declares on an element what it has from its ancestors, if it uses it', () => {
    const tree = parseElement("<a xmlns='u' xmlns:p='v' xmlns:q='w' xmlns:r='x'><b p:c='1'><q:d xmlns:q='y'/></b></a>");
    const [b] = childElements(tree);
    expect(serialize(b!)).to.equal('<b xmlns="u" xmlns:p="v" xmlns:q="w" p:c="1"><q:d xmlns:q="y"/></b>');
    expect(serialize(b!, 'u')).to.equal('<b xmlns:p="v" xmlns:q="w" p:c="1"><q:d xmlns:q="y"/></b>');
  });

  it('refuses names that are not XML', () => {
    for (const name of ['', 'a b', 'a>', '1', 'a:', ':a', 'a:b:c', 'a/', '×', 'a\n', 'a:1', '·']) {
      expect(() => serialize(xml(name)), name).to.throw(RangeError);
      expect(() => serialize(xml('a', { [name]: '' })), name).to.throw(RangeError);
    }
    expect(serialize(xml('é:中', { 'xmlns:é': 'u', a·: '' }))).to.equal('<é:中 xmlns:é="u" a·=""/>');
  });

  it('refuses text that is not XML', () => {
    expect(() => serialize(xml('a', {}, '\0'))).to.throw(RangeError, 'U+0000');
    expect(() => serialize(xml('a', { b: '\ud800' }))).to.throw(RangeError, 'U+D800');
  });
});
