import { expect } from 'chai';
import { Stage } from '../support/conversation.ts';
import { expectTrees, type TestClient } from '../support/test-client.ts';
import type { Tree } from '../support/xml-tree.ts';
import { answersTo, bodiesOf, hearsNothing, message, messagesOf, nextMessages, report } from './amp-cast.ts';
import { configures, enters, founds, until } from './rooms-cast.ts';

const rows = ['notify deliver direct', 'notify match-resource any', 'notify match-resource exact'];

describe('AMP in rooms (XEP-0079, rows 23 to 25 of docs/amp-requirements.md)', () => {
  const stage = new Stage();

  async function cast() {
    const { romeo, juliet, eve } = await stage.enter(['romeo', 'juliet', 'eve']);
    const room = await founds(juliet, 'juliet');
    await enters(romeo, `${room}/romeo`);
    for (const client of [romeo, juliet]) await client.drains();
    return { romeo, juliet, eve, room };
  }

  const isOurs = ({ raw }: Tree) => raw.includes('Good morrow');
  const withoutRules = (trees: readonly Tree[]) =>
    expect(trees.filter(({ raw }) => raw.includes('<amp'))).to.deep.equal([]);

  for (const words of rows) {
    it(`an occupant says something: ${words}`, async () => {
      const { romeo, juliet, room } = await cast();
      romeo.sends(message(room, [words], { type: 'groupchat' }));
      const came = await nextMessages(romeo, 2);
      expectTrees(
        came.filter((tree) => !isOurs(tree)),
        report(romeo, room, words),
      );
      withoutRules(came.filter(isOurs));
      const [heard] = await nextMessages(juliet, 1);
      withoutRules(heard ? [heard] : []);
      expect(bodiesOf(heard ? [heard] : [])).to.deep.equal(['Good morrow']);
    });
  }

  it('newcomers and readers of the archive get no rules', async () => {
    const { romeo, eve, room } = await cast();
    romeo.sends(message(room, ['notify deliver direct'], { type: 'groupchat' }));
    await nextMessages(romeo, 2);
    const history = messagesOf(await enters(eve, `${room}/eve`)).filter(isOurs);
    expect(history).to.have.length(1);
    withoutRules(history);
    eve.sends(`<iq type="set" id="q" to="${room}"><query xmlns="urn:xmpp:mam:2"/></iq>`);
    const archived = (await until(eve, 'iq')).filter(isOurs);
    expect(archived).to.have.length(1);
    withoutRules(archived);
  });

  for (const [who, prepare] of Object.entries<
    (speaker: TestClient, owner: TestClient, room: string) => Promise<unknown>
  >({
    outsider: async () => {},
    visitor: async (speaker, owner, room) => {
      await configures(owner, room, { 'muc#roomconfig_moderatedroom': '1' });
      await enters(speaker, `${room}/eve`);
    },
  })) {
    it(`the message of the ${who} reaches nobody, and its rules know that before: deliver=none`, async () => {
      const { juliet, eve, room } = await cast();
      await prepare(eve, juliet, room);
      await juliet.drains();
      await eve.drains();
      const says = (words: string) => answersTo(eve, message(room, [words], { type: 'groupchat' }));
      expectTrees(await says('drop deliver none'));
      expectTrees(await says('alert deliver none'), report(eve, room, 'alert deliver none'));
      const [error, ...others] = await says('alert deliver direct');
      expect(others).to.deep.equal([]);
      expect(error?.raw).to.contain(who === 'visitor' ? '<forbidden' : '<not-acceptable');
      await hearsNothing(juliet);
    });
  }

  for (const words of rows) {
    it(`an occupant writes to another one: ${words}`, async () => {
      const { romeo, juliet, room } = await cast();
      expectTrees(await answersTo(romeo, message(`${room}/juliet`, [words])), report(romeo, `${room}/juliet`, words));
      const [heard] = await nextMessages(juliet, 1);
      withoutRules(heard ? [heard] : []);
      expect(heard?.attributes.get('from')).to.equal(`${room}/romeo`);
    });
  }

  it('an occupant writes to somebody who is not there: deliver=none', async () => {
    const { romeo, room } = await cast();
    expectTrees(await answersTo(romeo, message(`${room}/nobody`, ['drop deliver none'])));
    const [error] = await answersTo(romeo, message(`${room}/nobody`, ['drop deliver direct']));
    expect(error?.raw).to.contain('<item-not-found');
  });

  it('the account behind an occupant is not judged: nothing is told of its store or its resources', async () => {
    const { romeo, juliet, room } = await cast();
    for (const words of ['alert deliver stored', 'alert match-resource other']) {
      expectTrees(await answersTo(romeo, message(`${room}/juliet`, [words])));
      const [heard] = await nextMessages(juliet, 1);
      expect(bodiesOf(heard ? [heard] : [])).to.deep.equal(['Good morrow']);
    }
  });
});
