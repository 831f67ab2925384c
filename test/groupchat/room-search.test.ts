import { expect } from 'chai';
import { searchHandler } from '../../src/groupchat/room-search.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { Element } from '../../src/xml/element.ts';
import { parseElement } from '../../src/xml/parse-element.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { childOf, parseTree, type Tree } from '../support/xml-tree.ts';
import { MemoryRooms } from './memory-rooms.ts';

const domain = 'rooms.example';
const namespace = 'urn:xmpp:channel-search:0';

describe('The search for rooms (XEP-0433)', () => {
  let store: MemoryRooms;
  let occupants: Map<string, number>;
  let asker: string;
  let handle: (payload: Element) => Promise<Element | undefined>;

  beforeEach(() => {
    store = new MemoryRooms();
    occupants = new Map();
    const handler = searchHandler('service', {
      domain,
      store,
      isLocalDomain: (name) => name === 'a.example',
      occupantsOf: (address) => occupants.get(address) ?? 0,
      clock: new ManualClock(),
    });
    const to = Jid.parse(domain);
    asker = 'juliet@a.example/x';
    const ends = { to, scope: 'service' as const, stanza: Stanza.iq({ type: 'get' }) };
    const unused = { sendAhead: () => undefined, afterwards: () => undefined };
    handle = async (payload) => handler.handle({ ...ends, ...unused, from: Jid.parse(asker), payload });
  });

  async function room(name: string, users: number, config: object = {}): Promise<void> {
    const address = `${name.toLowerCase()}@${domain}`;
    const text = JSON.stringify({ name, public: true, ...config });
    const base = { createdAtMs: 0, occupantKey: Buffer.alloc(32), affiliations: [] };
    const isPublic = !('public' in config);
    await store.create({ ...base, address, config: text }, { name, isPublic });
    occupants.set(address, users);
  }

  const form = (fields: Readonly<Record<string, string>>, set = '') => {
    const written = Object.entries({ FORM_TYPE: `${namespace}:search-params`, ...fields }).map(
      ([name, value]) => `<field var='${name}'><value>${value}</value></field>`,
    );
    const x = `<x xmlns='jabber:x:data' type='submit'>${written.join('')}</x>`;
    return parseElement(`<search xmlns='${namespace}:search'>${set}${x}</search>`);
  };
  const page = (content: string) => `<set xmlns='http://jabber.org/protocol/rsm'>${content}</set>`;
  const searches = async (fields: Readonly<Record<string, string>>, set = '') =>
    parseTree(String(await handle(form(fields, set))));
  const names = (result: Tree) =>
    result.children.filter(({ name }) => name === 'item').map((item) => childOf(item, 'name')?.text);
  const last = (result: Tree) => {
    const set = childOf(result, 'set');
    return (set && childOf(set, 'last')?.text) ?? '';
  };
  const refusal = async (fields: Readonly<Record<string, string>>, set = '') => {
    try {
      await searches(fields, set);
    } catch (error) {
      if (error instanceof StanzaError) return [error.condition, error.type, error.extra?.getName()];
      throw error;
    }
    return expect.fail('it was not refused');
  };

  it('begins with a form that has all fields (§4.2.1)', async () => {
    const answer = parseTree(String(await handle(parseElement(`<search xmlns='${namespace}:search'/>`))));
    const x = childOf(answer, 'x') ?? expect.fail();
    const fields = x.children.map(({ attributes }) => attributes.get('var'));
    expect(fields).to.deep.equal([
      'FORM_TYPE',
      'q',
      'all',
      'sinname',
      'sindescription',
      'sinaddress',
      'min_users',
      'types',
      'key',
    ]);
  });

  it('finds rooms by all words, in name, description or address, with many occupants first', async () => {
    await room('Balcony', 2, { description: 'Of the CAPULET family' });
    await room('Orchard', 5, { description: 'behind the house of Capulet' });
    await room('Capulet-Tomb', 1);
    await room('Street', 9);
    expect(names(await searches({ q: 'capulet' }))).to.deep.equal(['Orchard', 'Balcony', 'Capulet-Tomb']);
    expect(names(await searches({ q: 'CAPULET the' }))).to.deep.equal(['Orchard', 'Balcony']);
    expect(names(await searches({ q: 'capulet', sindescription: '0' }))).to.deep.equal(['Capulet-Tomb']);
    const byAddress = { q: 'capulet', key: `{${namespace}:order}address` };
    expect(names(await searches(byAddress))).to.deep.equal(['Balcony', 'Capulet-Tomb', 'Orchard']);
    expect(names(await searches({ q: 'capulet', min_users: '2' }))).to.deep.equal(['Orchard', 'Balcony']);
    expect(names(await searches({ q: 'capulet', types: 'xep-0369' }))).to.deep.equal([]);
    expect(names(await searches({ q: 'nowhere' }))).to.deep.equal([]);
  });

  it('describes what it finds (§5.2)', async () => {
    await room('Hall', 3, { description: 'd', lang: 'it', whois: 'anyone', passwordProtected: true });
    const result = await searches({ all: '1' });
    const [item] = result.children;
    expect(item?.attributes.get('address')).to.equal(`hall@${domain}`);
    expect(item?.children.map(({ name, text }) => `${name}=${text}`)).to.deep.equal([
      'name=Hall',
      'description=d',
      'language=it',
      'nusers=3',
      'service-type=xep-0045',
      `anonymity-mode={${namespace}:anonymity}none`,
    ]);
  });

  it('keeps hidden rooms hidden, and what only members of a room may know', async () => {
    await room('Hidden', 9, { public: false });
    await room('Members', 9, { membersOnly: true, description: 'secret' });
    await room('Open', 1);
    const result = await searches({ all: '1' });
    expect(names(result)).to.deep.equal(['Open', 'Members']);
    expect(JSON.stringify(result.children[1]?.children.map(({ name }) => name))).to.not.match(/nusers|descr|is-open/);
    expect(names(await searches({ q: 'secret' }))).to.deep.equal([]);
    expect(names(await searches({ all: '1', min_users: '1' }))).to.deep.equal(['Open']);
  });

  it('comes a page at a time, in either order', async () => {
    for (let n = 0; n < 7; n += 1) await room(`r${n}`, n % 3);
    for (const key of ['nusers', 'address']) {
      const order = { all: '1', key: `{${namespace}:order}${key}` };
      const all = names(await searches(order));
      const read: unknown[] = [];
      for (let after = ''; ; ) {
        const result = await searches(order, page(`<max>3</max>${after && `<after>${after}</after>`}`));
        read.push(...names(result));
        after = last(result);
        if (after === '') break;
      }
      expect([all.length, read]).to.deep.equal([7, all]);
    }
    const count = await searches({ all: '1' }, page('<max>0</max>'));
    expect([names(count), childOf(count, 'set')?.children[0]?.text]).to.deep.equal([[], '7']);
  });

  it('refuses what makes no sense (§4.2.2)', async () => {
    expect(await refusal({})).to.deep.equal(['bad-request', 'modify', 'no-search-conditions']);
    expect(await refusal({ q: 'a', all: '1' })).to.deep.equal(['bad-request', 'modify', 'conflicting-fields']);
    expect(await refusal({ q: ' ' })).to.deep.equal(['bad-request', 'modify', 'invalid-search-terms']);
    const key = { q: 'a', key: 'beauty' };
    expect(await refusal(key)).to.deep.equal(['feature-not-implemented', 'modify', 'invalid-sort-key']);
    expect(await refusal({ q: 'a' }, page('<after>x</after>'))).to.deep.equal(['item-not-found', 'cancel', undefined]);
  });

  it('makes those who search too often wait, but not local users because of others', async () => {
    asker = 'tybalt@elsewhere.example/x';
    for (let n = 0; n < 20; n += 1) await searches({ all: '1' });
    expect(await refusal({ all: '1' })).to.deep.equal(['resource-constraint', 'wait', 'rate-limit']);
    asker = 'juliet@a.example/x';
    for (let n = 0; n < 20; n += 1) await searches({ all: '1' });
    expect(await refusal({ all: '1' })).to.deep.equal(['resource-constraint', 'wait', 'rate-limit']);
  });
});
