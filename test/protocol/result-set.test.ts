import { expect } from 'chai';
import { readResultSet, resultSetElement } from '../../src/protocol/result-set.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { serialize } from '../../src/xml/serialize.ts';

function request(content: string) {
  return parseElement(`<query xmlns='urn:q'>${content}</query>`);
}

function read(children: string) {
  return readResultSet(request(`<set xmlns='http://jabber.org/protocol/rsm'>${children}</set>`));
}

describe('result sets (XEP-0059)', () => {
  const readable: readonly [children: string, asked: object][] = [
    ['', {}],
    ['<max>10</max>', { max: 10 }],
    ['<max> 10\n</max>', { max: 10 }],
    ['<max>0</max>', { max: 0 }],
    ['<before/>', { before: '' }],
    ['<max>10</max><before>a&amp;b</before>', { max: 10, before: 'a&b' }],
    ['<after>x</after><before>y</before>', { after: 'x', before: 'y' }],
    ['<index>371</index>', { index: 371 }],
    ["<max xmlns='urn:other'>x</max>", {}],
  ];
  for (const [children, asked] of readable) {
    it(`reads ${children || 'an empty set'}`, () => expect(read(children)).to.deep.equal(asked));
  }

  it('reads a request without a set, or with one in another namespace', () => {
    expect(readResultSet(request(''))).to.deep.equal({});
    expect(readResultSet(request("<set xmlns='urn:other'><max>x</max></set>"))).to.deep.equal({});
  });

  for (const children of ['<max/>', '<max>-1</max>', '<max>1.5</max>', '<max>ten</max>', '<index>x</index>']) {
    it(`refuses ${children}`, () => expect(() => read(children)).to.throw(StanzaError, /not a number/));
  }

  it('refuses a part that comes twice', () => {
    expect(() => read('<after>x</after><after>y</after>')).to.throw(StanzaError, /once/);
    const set = "<set xmlns='http://jabber.org/protocol/rsm'/>";
    expect(() => readResultSet(request(set + set))).to.throw(StanzaError, /one <set/);
  });

  const written: readonly [page: Parameters<typeof resultSetElement>[0], children: string][] = [
    [{}, ''],
    [{ count: 0 }, '<count>0</count>'],
    [{ first: 'a', last: 'b' }, '<first>a</first><last>b</last>'],
    [{ first: 'a', index: 0, last: 'b', count: 9 }, '<first index="0">a</first><last>b</last><count>9</count>'],
  ];
  for (const [page, children] of written) {
    it(`writes ${JSON.stringify(page)}`, () => {
      const set = '<set xmlns="http://jabber.org/protocol/rsm"';
      expect(serialize(resultSetElement(page))).to.equal(children ? `${set}>${children}</set>` : `${set}/>`);
    });
  }
});
