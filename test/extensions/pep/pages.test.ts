import { expect } from 'chai';
import type { StubSession } from '../../support/stub-session.ts';
import { errorText } from '../bench.ts';
import { form, pepBench, publish, pubsub } from './pep-bench.ts';

describe('items of a node in pages (XEP-0060 §6.5.4, XEP-0059)', () => {
  const bench = pepBench();
  const ids = ['a', 'b', 'c', 'd', 'e'];

  async function reader(): Promise<StubSession> {
    const juliet = await bench.user();
    for (const id of ids) await bench.does(juliet, publish('n', id, { max_items: 'max' }));
    return juliet;
  }

  const asks = async (session: StubSession, set: string, content = '') => {
    const request = `<items node='n'>${content}</items><set xmlns='http://jabber.org/protocol/rsm'>${set}</set>`;
    return (await bench.asks(session, `<iq type='get' id='q'>${pubsub(request)}</iq>`))[0] ?? '';
  };
  /** The items of an answer, and what is said about them. */
  const pageIn = (answer: string) => {
    const items = Array.from(answer.matchAll(/<item id="([^"]*)">/g), ([, id]) => id).join('');
    const [, set = ''] = /<\/items><set xmlns="[^"]*rsm">(.*)<\/set>|<items[^>]*\/><set/.exec(answer) ?? [];
    const value = (name: string) => new RegExp(`<${name}(?: index="(\\d+)")?>(\\w+)</${name}>`).exec(set);
    const [, index, first] = value('first') ?? [];
    return `${items} ${first}@${index} ${value('last')?.[2]} of ${/<count>(\d+)<\/count>/.exec(answer)?.[1]}`;
  };

  const pages: readonly (readonly [string, string])[] = [
    ['<max>2</max>', 'ab a@0 b of 5'],
    ['<max>2</max><after>b</after>', 'cd c@2 d of 5'],
    ['<max>2</max><after>d</after>', 'e e@4 e of 5'],
    ['<max>2</max><after>e</after>', ' undefined@undefined undefined of 5'],
    ['<max>2</max><before/>', 'de d@3 e of 5'],
    ['<max>2</max><before>d</before>', 'bc b@1 c of 5'],
    ['<max>2</max><before>b</before>', 'a a@0 a of 5'],
    ['<max>9</max><after>a</after><before>d</before>', 'bc b@1 c of 5'],
    ['<max>2</max><index>3</index>', 'de d@3 e of 5'],
    ['<max>0</max>', ' undefined@undefined undefined of 5'],
    ['<after>b</after>', 'cde c@2 e of 5'],
  ];
  it('come as they are asked for', async () => {
    const juliet = await reader();
    for (const [set, page] of pages) expect(pageIn(await asks(juliet, set)), set).to.equal(page);
  });

  it('begin or end at items that exist', async () => {
    const juliet = await reader();
    for (const set of ['<after>x</after>', '<before>x</before>', '<index>6</index>'])
      expect(await asks(juliet, set), set).to.match(errorText('cancel', 'item-not-found'));
    expect(await asks(juliet, '<max>two</max>')).to.match(errorText('modify', 'bad-request'));
  });

  it('are not for items that are named', async () => {
    const juliet = await reader();
    const answer = await asks(juliet, '<max>1</max>', `<item id='b'/><item id='d'/>`);
    expect(pageIn(answer).split(' ')[0]).to.equal('bd');
  });

  it('tell a client that there are more than one answer can take, from the end that it reads from', async () => {
    const juliet = await bench.user();
    const large = 'x'.repeat(100_000);
    for (const id of [...ids, 'f', 'g']) await bench.does(juliet, publish('n', id, { max_items: 'max' }, large));
    const [all = ''] = await bench.asks(juliet, `<iq type='get' id='q'>${pubsub(`<items node='n'/>`)}</iq>`);
    expect(pageIn(all)).to.equal('cdefg c@2 g of 7');
    expect(pageIn(await asks(juliet, '<max>7</max>'))).to.equal('abcde a@0 e of 7');
    expect(pageIn(await asks(juliet, '<max>7</max><before>g</before>'))).to.equal('bcdef b@1 f of 7');
  });

  it('are announced', async () => {
    const juliet = await bench.user();
    const query = `<query xmlns='http://jabber.org/protocol/disco#info'/>`;
    const [answer] = await bench.asks(juliet, `<iq type='get' id='d' to='${juliet.account.key}'>${query}</iq>`);
    for (const feature of ['rsm', 'modify-affiliations', 'retrieve-subscriptions'])
      expect(answer).to.contain(`<feature var="http://jabber.org/protocol/pubsub#${feature}"/>`);
  });

  it('keep as many items as a node may have, 1000', async () => {
    const juliet = await bench.user();
    const owner = juliet.account.key;
    await bench.does(juliet, publish('n', 'first', { max_items: 'max' }));
    const items = Array.from({ length: 1000 }, (_, at) => ({ id: `${at}`, publishedAtMs: 0, payload: '<p/>' }));
    await bench.storage.pep.publish(owner, 'n', { items, maxItems: 2000, maxBytes: 1_000_000 });
    await bench.does(juliet, publish('n', 'last'));
    const kept = await bench.storage.pep.itemIds(owner, 'n');
    expect([kept.length, kept[0], kept.at(-1)]).to.deep.equal([1000, '1', 'last']);
    const bare = form('publish-options', { max_items: '1000' });
    expect(bare).to.contain('1000');
  });
});
