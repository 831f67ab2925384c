import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';
import { configures, enters, founds, roomDomain, says, until } from './rooms-cast.ts';

const mam = 'urn:xmpp:mam:2';
const rsm = 'http://jabber.org/protocol/rsm';

describe('The archive of a room (XEP-0313 §5.1.2)', () => {
  const stage = new Stage({ settings: { rooms: { enabled: true } } });
  const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
  const form = (...fields: string[]) =>
    `<x xmlns="jabber:x:data" type="submit">${field('FORM_TYPE', mam)}${fields.join('')}</x>`;
  const query = (room: string, content = '') =>
    `<iq type="set" to="${room}"><query xmlns="${mam}">${content}</query></iq>`;
  const idOf = (tree: Tree) => childOf(tree, 'stanza-id')?.attributes.get('id') ?? expect.fail('no id');

  /** The forwarded messages of a page, the ids of the results, and the answer behind them. */
  async function reads(client: TestClient, room: string, content = '') {
    client.sends(query(room, content).replace('<iq', '<iq id="q"'));
    const came = await until(client, 'iq');
    const results = came.flatMap((tree) => childOf(tree, 'result') ?? []);
    const messages = results.map((tree) => childOf(childOf(tree, 'forwarded') ?? expect.fail(), 'message'));
    const found = messages.map((message) => message ?? expect.fail());
    return {
      messages: found,
      bodies: found.map((message) => childOf(message, 'body')?.text ?? ''),
      ids: results.map(({ attributes }) => attributes.get('id')),
      answer: came.at(-1) ?? expect.fail(),
    };
  }

  /** The JIDs that a page shows. */
  const shown = ({ messages }: { messages: readonly Tree[] }) =>
    messages.map((message) => {
      const x = childOf(message, 'x');
      return x && childOf(x, 'item')?.attributes.get('jid');
    });

  /** The error of a request. */
  async function conditionOf(client: TestClient, iq: string): Promise<string> {
    const { attributes, children } = await client.asks(iq);
    expect(attributes.get('type')).to.equal('error');
    return children.find(({ name }) => name === 'error')?.children[0]?.name ?? '';
  }

  it('has the messages as everybody got them, under the ids with which they came', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = await founds(juliet, 'juliet');
    await enters(romeo, `${room}/romeo`);
    const reflected = await says(romeo, room, 'hark');
    const { messages, ids, answer } = await reads(romeo, room);
    expect(ids).to.deep.equal([idOf(reflected)]);
    const [message] = messages;
    expect(message?.attributes.get('from')).to.equal(`${room}/romeo`);
    expect(message?.attributes.get('id')).to.equal(reflected.attributes.get('id'));
    expect(message?.attributes.has('to')).to.equal(false);
    expect(message?.children.map(({ name }) => name)).to.deep.equal(['body', 'occupant-id', 'stanza-id']);
    expect(message && idOf(message)).to.equal(ids[0]);
    expect(childOf(answer, 'fin')?.attributes.get('complete')).to.equal('true');
  });

  it('shows authors to those who may see them now', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = await founds(juliet, 'juliet');
    await enters(romeo, `${room}/romeo`);
    await says(romeo, room, 'hark');
    expect(shown(await reads(romeo, room))).to.deep.equal([undefined]);
    await juliet.drains();
    expect(shown(await reads(juliet, room))).to.deep.equal([romeo.jid]);
    await configures(juliet, room, { 'muc#roomconfig_whois': 'anyone' });
    await romeo.drains();
    expect(shown(await reads(romeo, room))).to.deep.equal([romeo.jid]);
  });

  it('is paged through', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const room = await founds(romeo, 'romeo');
    for (const body of ['a', 'b', 'c', 'd', 'e']) await says(romeo, room, body);
    const page = (content: string) => reads(romeo, room, `<set xmlns="${rsm}">${content}</set>`);
    const first = await page('<max>2</max>');
    expect(first.bodies).to.deep.equal(['a', 'b']);
    expect((await page(`<max>9</max><after>${first.ids[1]}</after>`)).bodies).to.deep.equal(['c', 'd', 'e']);
    expect((await page('<max>2</max><before/>')).bodies).to.deep.equal(['d', 'e']);
    const one = `<x xmlns="jabber:x:data" type="submit">${field('FORM_TYPE', mam)}${field('ids', first.ids[1] ?? '')}</x>`;
    expect((await reads(romeo, room, one)).bodies).to.deep.equal(['b']);
  });

  it('knows no ids of other rooms', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const [room, other] = [await founds(romeo, 'romeo'), await founds(romeo, 'romeo')];
    const theirs = idOf(await says(romeo, other, 'hark'));
    const request = query(room, `<set xmlns="${rsm}"><after>${theirs}</after></set>`);
    expect(await conditionOf(romeo, request)).to.equal('item-not-found');
  });

  it('is searched by occupant, and by JID only by those who see JIDs', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = await founds(juliet, 'juliet');
    await enters(romeo, `${room}/romeo`);
    await says(romeo, room, 'of romeo');
    await until(juliet, (tree) => childOf(tree, 'body')?.text === 'of romeo');
    await says(juliet, room, 'of juliet');
    await romeo.drains();
    const by = (jid: string) => form(field('with', jid));
    expect((await reads(romeo, room, by(`${room}/romeo`))).bodies).to.deep.equal(['of romeo']);
    expect((await reads(juliet, room, by(romeo.bare))).bodies).to.deep.equal(['of romeo']);
    expect((await reads(juliet, room, by(romeo.jid))).bodies).to.deep.equal(['of romeo']);
    expect((await reads(juliet, room, by(`${romeo.bare}/elsewhere`))).bodies).to.deep.equal([]);
    expect(await conditionOf(romeo, query(room, by(juliet.bare)))).to.equal('forbidden');
  });

  it('is open to those who could enter', async () => {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = await founds(juliet, 'juliet');
    await says(juliet, room, 'hark');
    expect((await reads(romeo, room)).bodies).to.deep.equal(['hark']);
    await configures(juliet, room, {
      'muc#roomconfig_passwordprotectedroom': '1',
      'muc#roomconfig_roomsecret': 'pilgrim',
    });
    expect(await conditionOf(romeo, query(room))).to.equal('forbidden');
    await enters(romeo, `${room}/romeo`, '<password>pilgrim</password>');
    expect((await reads(romeo, room)).bodies).to.deep.equal(['hark']);
    await juliet.drains();
    await configures(juliet, room, { 'muc#roomconfig_membersonly': '1' });
    await romeo.drains();
    expect(await conditionOf(romeo, query(room))).to.equal('forbidden');
    expect((await reads(juliet, room)).bodies).to.deep.equal(['hark']);
    expect(await conditionOf(romeo, query(`nowhere@${roomDomain}`))).to.equal('item-not-found');
  });

  it('has subjects, and nothing that asks not to be stored', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const room = await founds(romeo, 'romeo');
    romeo.sends(`<message to="${room}" type="groupchat" id="s"><subject>Mantua</subject></message>`);
    await romeo.receives('<message type="groupchat">...</message>');
    await says(romeo, room, 'secret', '<no-store xmlns="urn:xmpp:hints"/>');
    const { messages } = await reads(romeo, room);
    expect(messages.map((message) => childOf(message, 'subject')?.text)).to.deep.equal(['Mantua']);
  });

  it('tells its ends, and is announced by the room', async () => {
    const { romeo } = await stage.enter(['romeo']);
    const room = await founds(romeo, 'romeo');
    const ids = [idOf(await says(romeo, room, 'a')), idOf(await says(romeo, room, 'b'))];
    const metadata = await romeo.asks(`<iq type="get" to="${room}"><metadata xmlns="${mam}"/></iq>`);
    const ends = childOf(metadata, 'metadata')?.children.map(({ attributes }) => attributes.get('id'));
    expect(ends).to.deep.equal(ids);
    const info = await romeo.asks(
      `<iq type="get" to="${room}"><query xmlns="http://jabber.org/protocol/disco#info"/></iq>`,
    );
    const features = (childOf(info, 'query')?.children ?? []).map(({ attributes }) => attributes.get('var'));
    expect(features).to.include.members([mam, `${mam}#extended`]);
  });

  it('and the room are there again after a restart', async () => {
    const owner = await stage.account('juliet');
    const juliet = await owner.arrives();
    const room = await founds(juliet, 'juliet');
    const ids = [idOf(await says(juliet, room, 'a'))];
    await stage.server.restart();
    const again = await owner.arrives();
    await enters(again, `${room}/juliet`);
    ids.push(idOf(await says(again, room, 'b')));
    const read = await reads(again, room);
    expect(read.bodies).to.deep.equal(['a', 'b']);
    expect(read.ids).to.deep.equal(ids);
  });
});
