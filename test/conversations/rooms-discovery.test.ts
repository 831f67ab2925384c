import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';
import { founds, roomDomain } from './rooms-cast.ts';

const muc = 'http://jabber.org/protocol/muc';
const disco = 'http://jabber.org/protocol/disco';
const rsm = 'http://jabber.org/protocol/rsm';

describe('The discovery of rooms (XEP-0045 §6, §7.12, §10.1.4)', () => {
  const stage = new Stage();
  const get = (to: string, content: string) => `<iq type="get" to="${to}">${content}</iq>`;
  const info = (to: string, node?: string) =>
    get(to, `<query xmlns="${disco}#info"${node === undefined ? '' : ` node="${node}"`}/>`);
  const items = (set: string) => get(roomDomain, `<query xmlns="${disco}#items">${set}</query>`);
  const page = (content: string) => items(`<set xmlns="${rsm}">${content}</set>`);
  const names = (answer: Tree) => {
    const children = childOf(answer, 'query')?.children ?? [];
    return children.filter(({ name }) => name === 'item').map(({ attributes }) => attributes.get('name'));
  };
  const last = (answer: Tree) => {
    const query = childOf(answer, 'query');
    const set = query && childOf(query, 'set');
    return (set && childOf(set, 'last')?.text) ?? '';
  };
  const publicRoom = (owner: TestClient, name: string) =>
    founds(owner, 'owner', { 'muc#roomconfig_publicroom': '1', 'muc#roomconfig_roomname': name });

  it('lists public rooms, a page at a time', async () => {
    const { juliet } = await stage.enter(['juliet']);
    for (const name of ['One', 'Two', 'Three']) await publicRoom(juliet, name);
    await founds(juliet, 'owner', { 'muc#roomconfig_roomname': 'Hidden' });
    await juliet.drains();
    const first = await juliet.asks(page('<max>2</max>'));
    expect(names(first)).to.deep.equal(['One', 'Two']);
    expect(first.raw).to.contain('<count>3</count>');
    const second = await juliet.asks(page(`<max>2</max><after>${last(first)}</after>`));
    expect(names(second)).to.deep.equal(['Three']);
    expect(names(await juliet.asks(items('')))).to.deep.equal(['One', 'Two', 'Three']);
    expect((await juliet.asks(page('<before/>'))).raw).to.contain('<feature-not-implemented');
  });

  it('finds a name for a new room', async () => {
    const { juliet } = await stage.enter(['juliet']);
    const ask = async () =>
      childOf(await juliet.asks(get(roomDomain, `<unique xmlns="${muc}#unique"/>`)), 'unique')?.text;
    const [one, other] = [await ask(), await ask()];
    expect(one).to.match(/^[\w-]{20,}$/);
    expect(other).not.to.equal(one);
  });

  it('shows the nickname that somebody has reserved, and knows no other nodes', async () => {
    const { juliet, romeo } = await stage.enter(['juliet', 'romeo']);
    const room = await publicRoom(juliet, 'Hall');
    await juliet.drains();
    expect((await romeo.asks(info(room, 'x-roomuser-item'))).raw).not.to.contain('<identity');
    const register = '<query xmlns="jabber:iq:register"><username>Montague</username></query>';
    await romeo.gets(`<iq type="set" to="${room}">${register}</iq>`, '<iq type="result"/>');
    const nick = await romeo.asks(info(room, 'x-roomuser-item'));
    expect(nick.raw).to.contain('<identity category="conference" type="text" name="Montague"/>');
    expect((await romeo.asks(info(room, `${muc}#traffic`))).raw).to.contain('<service-unavailable');
    expect((await romeo.asks(info(room, 'other'))).raw).to.contain('<item-not-found');
    expect((await romeo.asks(info(room))).raw).to.contain('<feature var="jabber:iq:register"/>');
  });
});
