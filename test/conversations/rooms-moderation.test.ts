import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';
import { enters, founds, says, until } from './rooms-cast.ts';

const mam = 'urn:xmpp:mam:2';
const retraction = 'urn:xmpp:message-retract:1';
const moderation = 'urn:xmpp:message-moderate:1';
const legacyModeration = 'urn:xmpp:message-moderate:0';
const legacyRetraction = 'urn:xmpp:message-retract:0';

describe('Messages that are taken back', () => {
  const stage = new Stage({ settings: { rooms: { enabled: true } } });
  const idOf = (tree: Tree) => childOf(tree, 'stanza-id')?.attributes.get('id') ?? expect.fail('no id');
  const occupantIdOf = (tree: Tree) => childOf(tree, 'occupant-id')?.attributes.get('id') ?? expect.fail('no id');
  const request = (room: string, id: string, reason = '') =>
    `<iq type="set" to="${room}" id="mod"><moderate id="${id}" xmlns="${moderation}">` +
    `<retract xmlns="${retraction}"/>${reason}</moderate></iq>`;

  /** A room with a moderator and a participant. */
  async function gathers() {
    const { romeo, juliet } = await stage.enter(['romeo', 'juliet']);
    const room = await founds(juliet, 'juliet');
    await enters(romeo, `${room}/romeo`);
    await until(juliet, 'presence');
    return { romeo, juliet, room };
  }

  /** The messages in the archive of a room. */
  async function archived(client: TestClient, room: string): Promise<Tree[]> {
    client.sends(`<iq type="set" id="q" to="${room}"><query xmlns="${mam}"/></iq>`);
    const results = (await until(client, 'iq')).flatMap((tree) => childOf(tree, 'result') ?? []);
    return results.map((tree) => childOf(childOf(tree, 'forwarded') ?? expect.fail(), 'message') ?? expect.fail());
  }

  const heard = (client: TestClient, name: string) => until(client, (tree) => childOf(tree, name) !== undefined);
  const names = (tree: Tree) => tree.children.map(({ name }) => name);
  const conditionOf = (tree: Tree | undefined) => tree && childOf(tree, 'error')?.children[0]?.name;

  it('a moderator takes one back, and everybody is told by the room (XEP-0425 §4)', async () => {
    const { romeo, juliet, room } = await gathers();
    const said = await says(romeo, room, 'a plague');
    await heard(juliet, 'body');
    juliet.sends(request(room, idOf(said), '<reason>hush</reason>'));
    const came = await until(juliet, 'iq');
    expect(came.map(({ name }) => name)).to.deep.equal(['message', 'iq']);
    expect(came[1]?.attributes.get('type')).to.equal('result');
    for (const told of [came[0], (await heard(romeo, 'retract')).at(-1)]) {
      expect(told?.attributes.get('from')).to.equal(room);
      const retract = (told && childOf(told, 'retract')) ?? expect.fail();
      expect(retract.attributes.get('id')).to.equal(idOf(said));
      expect(childOf(retract, 'moderated')?.attributes.get('by')).to.equal(`${room}/juliet`);
      expect(childOf(retract, 'reason')?.text).to.equal('hush');
    }
  });

  it('a moderator whose client knows version 0.2 does, and such clients are told (XEP-0425 §4)', async () => {
    const { romeo, juliet, room } = await gathers();
    const said = await says(romeo, room, 'a plague');
    await heard(juliet, 'body');
    const legacyRequest =
      `<iq type="set" to="${room}" id="mod"><apply-to xmlns="urn:xmpp:fasten:0" id="${idOf(said)}">` +
      `<moderate xmlns="${legacyModeration}"><retract xmlns="${legacyRetraction}"/><reason>hush</reason></moderate></apply-to></iq>`;
    juliet.sends(legacyRequest);
    expect((await until(juliet, 'iq')).at(-1)?.attributes.get('type')).to.equal('result');
    const told = (await heard(romeo, 'retract')).at(-1) ?? expect.fail();
    const applied = childOf(told, 'apply-to') ?? expect.fail();
    expect(applied.attributes.get('id')).to.equal(idOf(said));
    const moderated = childOf(applied, 'moderated') ?? expect.fail();
    expect(moderated.attributes.get('by')).to.equal(`${room}/juliet`);
    expect(moderated.children.map(({ name, ns, text }) => [name, ns, text])).to.deep.equal([
      ['retract', legacyRetraction, ''],
      ['reason', legacyModeration, 'hush'],
    ]);
    expect((await archived(juliet, room)).map(names)[0])
      .to.include('retracted')
      .and.not.to.include('body');
  });

  it('what is left has the ids and no content, for newcomers and in the archive (XEP-0425 §5)', async () => {
    const { romeo, juliet, room } = await gathers();
    const said = await says(romeo, room, 'a plague');
    await heard(juliet, 'body');
    juliet.sends(request(room, idOf(said)));
    await until(juliet, 'iq');
    const [left, told] = await archived(juliet, room);
    expect(left && names(left)).to.include.members(['occupant-id', 'stanza-id', 'retracted']);
    expect(left && names(left)).not.to.include('body');
    expect(left && idOf(left)).to.equal(idOf(said));
    expect(left && occupantIdOf(left)).to.equal(occupantIdOf(said));
    expect(left?.attributes.get('id')).to.equal(said.attributes.get('id'));
    expect(told && names(told)).to.include('retract');
    const { nurse } = await stage.enter(['nurse']);
    const history = (await enters(nurse, `${room}/nurse`)).filter(({ name }) => name === 'message');
    expect(history.slice(0, -1).map((tree) => names(tree)[0])).to.deep.equal(['occupant-id', 'retract']);
  });

  it('a participant cannot take back what others say, and nobody what is not there', async () => {
    const { romeo, juliet, room } = await gathers();
    const said = await says(juliet, room, 'a rose');
    await heard(romeo, 'body');
    romeo.sends(request(room, idOf(said)));
    expect(conditionOf((await until(romeo, 'iq')).at(-1))).to.equal('forbidden');
    juliet.sends(request(room, 'made-up'));
    expect(conditionOf((await until(juliet, 'iq')).at(-1))).to.equal('item-not-found');
    expect((await archived(juliet, room)).map(names)).to.deep.equal([['body', 'occupant-id', 'stanza-id', 'x']]);
  });

  it('an author takes back a message of its own, and no other (XEP-0424 §3)', async () => {
    const { romeo, juliet, room } = await gathers();
    const own = await says(romeo, room, 'a plague');
    const other = await says(juliet, room, 'a rose').then(() => heard(romeo, 'body'));
    for (const said of [own, other.at(-1) ?? expect.fail()]) {
      romeo.sends(
        `<message to="${room}" type="groupchat" id="r"><retract xmlns="${retraction}" id="${idOf(said)}"/></message>`,
      );
      await heard(romeo, 'retract');
    }
    const left = (await archived(romeo, room)).map((tree) => names(tree)[0]);
    expect(left).to.deep.equal(['occupant-id', 'body', 'retract', 'retract']);
  });

  it('no occupant speaks for moderators (XEP-0425 §6)', async () => {
    const { romeo, room } = await gathers();
    const by = `by="${room}/juliet"`;
    for (const forged of [
      `<retract xmlns="${retraction}" id="x"><moderated xmlns="${moderation}" ${by}/></retract>`,
      `<retract xmlns="${retraction}" id="x"><moderated xmlns="${moderation.replace('m', '&#109;')}" ${by}/></retract>`,
      `<retract xmlns="${retraction}" id="x" xmlns:m="${moderation}"><m:moderated ${by}/></retract>`,
      `<apply-to xmlns="urn:xmpp:fasten:0" id="x"><moderated xmlns="${legacyModeration}" ${by}/></apply-to>`,
      `<moderated xmlns="${legacyModeration}" ${by}/>`,
    ])
      expect(names(await says(romeo, room, 'a plague', forged)), forged).to.deep.equal([
        'body',
        'occupant-id',
        'stanza-id',
      ]);
  });
});
