import { expect } from 'chai';
import { type Page, type PageRequest, pageElement, readPageRequest } from '../../src/protocol/result-set.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { serialise } from '../../src/xml/serialise.ts';

const limits = { usual: 20, most: 50 };

function read(parts: string): PageRequest {
  return readPageRequest(parseElement(`<set xmlns='http://jabber.org/protocol/rsm'>${parts}</set>`), limits);
}

describe('result sets (XEP-0059)', () => {
  const good: readonly [parts: string, request: PageRequest][] = [
    ['', { max: 20 }],
    ['<max>0</max>', { max: 0 }],
    ['<max>10</max>', { max: 10 }],
    ['<max>51</max>', { max: 50 }],
    ['<max>1000000000000</max>', { max: 50 }],
    ['<max>5</max><after>a</after>', { max: 5, after: 'a' }],
    ['<after/>', { max: 20 }],
    ['<before/>', { max: 20, before: '' }],
    ['<before>b</before>', { max: 20, before: 'b' }],
    ['<after>a</after><before>b</before>', { max: 20, after: 'a', before: 'b' }],
    ['<index>371</index>', { max: 20, index: 371 }],
    ["<max>7</max><max xmlns='urn:other'>8</max>", { max: 7 }],
  ];
  for (const [parts, request] of good) {
    it(`reads '${parts}'`, () => expect(read(parts)).to.deep.equal(request));
  }

  const bad = [
    '<max/>',
    '<max>-1</max>',
    '<max>abc</max>',
    '<max>1e12</max>',
    '<max>1.5</max>',
    '<max> 1</max>',
    `<max>${'9'.repeat(400)}</max>`,
    '<index>-1</index>',
    '<index>0</index><after>a</after>',
    '<index>0</index><before/>',
    '<max>1</max><max>2</max>',
    '<after>a</after><after>b</after>',
  ];
  for (const parts of bad) {
    it(`refuses '${parts.slice(0, 60)}'`, () => {
      expect(() => read(parts))
        .to.throw(StanzaError)
        .with.property('condition', 'bad-request');
    });
  }

  it('means the first page where nothing is asked for', () => {
    expect(readPageRequest(undefined, limits)).to.deep.equal({ max: 20 });
  });

  const pages: readonly [page: Page, parts: string][] = [
    [
      { first: 'a&b', last: 'z', index: 0, count: 800 },
      '<first index="0">a&amp;b</first><last>z</last><count>800</count>',
    ],
    [{ first: 'a', last: 'z' }, '<first>a</first><last>z</last>'],
    [{ count: 0 }, '<count>0</count>'],
  ];
  for (const [page, parts] of pages) {
    it(`writes ${parts}`, () => {
      expect(serialise(pageElement(page))).to.equal(`<set xmlns="http://jabber.org/protocol/rsm">${parts}</set>`);
    });
  }
});
