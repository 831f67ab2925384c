import { expect } from 'chai';
import { describe, it } from 'mocha';
import { InternCache } from '../../src/protocol/intern-cache.ts';

describe('InternCache', () => {
  it('gives back what was set', () => {
    const cache = new InternCache<number>(4);
    cache.set('a', 1);
    expect(cache.get('a')).to.equal(1);
    expect(cache.get('b')).to.equal(undefined);
  });

  it('holds no more than its capacity', () => {
    const cache = new InternCache<number>(100);
    for (let n = 0; n < 1000; n += 1) {
      cache.set(`key${n}`, n);
      expect(cache.size).to.be.at.most(100);
    }
    expect(cache.get('key999')).to.equal(999);
    expect(cache.get('key0')).to.equal(undefined);
  });

  it('keeps what is asked for', () => {
    const cache = new InternCache<string>(10);
    cache.set('often', 'kept');
    for (let n = 0; n < 100; n += 1) {
      cache.set(`key${n}`, 'dropped');
      expect(cache.get('often')).to.equal('kept');
    }
  });

  it('takes no long text', () => {
    const cache = new InternCache<number>(4);
    cache.set('a'.repeat(128), 1);
    cache.set('a'.repeat(129), 1);
    expect(cache.size).to.equal(1);
  });

  it('finds names of object properties only when set', () => {
    const cache = new InternCache<number>(4);
    for (const key of ['__proto__', 'constructor', 'toString']) expect(cache.get(key)).to.equal(undefined);
    cache.set('__proto__', 1);
    expect(cache.get('__proto__')).to.equal(1);
  });
});
