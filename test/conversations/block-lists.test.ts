import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { ControlClient } from '../../src/cli/control-client.ts';
import { findInBlockLists, listBlockLists } from '../../src/extensions/block-lists/block-lists.ts';
import { brief } from '../groupchat/brief.ts';
import { FederatedServer } from '../support/federated-server.ts';
import { creates, joins, untilLine } from '../support/shares-rooms.ts';
import type { TestClient } from '../support/test-client.ts';

const [verona, mantua] = ['verona.example', 'mantua.example'] as const;
const room = `square@conference.${verona}`;
const node = 'muc_bans_sha256';
const pubsub = 'http://jabber.org/protocol/pubsub';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('A block list at another server', () => {
  let here: FederatedServer;
  let there: FederatedServer;
  let owner: TestClient;
  let keeper: TestClient;
  let tybalt: TestClient;
  let benvolio: TestClient;

  before(async () => {
    const started = await FederatedServer.startAll([verona, mantua], 'dialback');
    [here, there] = started as [FederatedServer, FederatedServer];
    owner = await here.arrives('escalus');
    [keeper, tybalt, benvolio] = [
      await there.arrives('keeper'),
      await there.arrives('tybalt'),
      await there.arrives('benvolio'),
    ];
    await creates(owner, room);
    await publishes(`${tybalt.bare}`);
    const followed = here.log.hears('a block list is followed');
    await here.reloads({ more: { moderation: { blockLists: [{ service: keeper.bare, node }] } } });
    await followed;
  });
  after(() => Promise.all([here.stop(), there.stop()]));

  async function publishes(address: string): Promise<void> {
    const item = `<item id="${sha256(address)}"><report xmlns="urn:xmpp:reporting:1" reason="urn:xmpp:reporting:spam"/></item>`;
    const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
    const options = `${field('FORM_TYPE', `${pubsub}#publish-options`)}${field('pubsub#access_model', 'open')}${field('pubsub#max_items', 'max')}`;
    await keeper.gets(
      `<iq type="set"><pubsub xmlns="${pubsub}"><publish node="${node}">${item}</publish><publish-options><x xmlns="jabber:x:data" type="submit">${options}</x></publish-options></pubsub></iq>`,
      '<iq type="result">...</iq>',
    );
  }
  const sets = (client: TestClient, query: string) =>
    client.sends(`<iq type="set" to="${room}" id="set">${query}</iq>`);
  const affiliated = ({ bare }: TestClient, affiliation: string) =>
    `<query xmlns="http://jabber.org/protocol/muc#admin"><item jid="${bare}" affiliation="${affiliation}"/></query>`;
  const enters = (client: TestClient, nick: string) => {
    client.sends(`<presence to="${room}/${nick}"><x xmlns="http://jabber.org/protocol/muc"/></presence>`);
    return untilLine(client, new RegExp(`^error|^\\+${nick} .*110`));
  };

  it('keeps listed users out of rooms', async () => {
    tybalt.sends(`<presence to="${room}/tybalt"><x xmlns="http://jabber.org/protocol/muc"/></presence>`);
    expect(brief(await tybalt.receives('<presence type="error">...</presence>'))).to.contain('forbidden');
    await joins(benvolio, room);
  });

  it('keeps their messages and requests from users who do not know them', async () => {
    tybalt.sends(`<presence to="${owner.bare}" type="subscribe"/>`);
    tybalt.sends(`<message to="${owner.jid}" type="chat"><body>Turn and draw!</body></message>`);
    expect((await tybalt.receives('<message type="error">...</message>')).raw).to.contain('policy-violation');
    expect((await owner.drains()).filter(({ attributes }) => attributes.get('type') === 'subscribe')).to.deep.equal([]);
  });

  it('lets members of a room in, and those whom users know write', async () => {
    sets(owner, affiliated(tybalt, 'member'));
    await untilLine(owner, /member/);
    tybalt.sends(`<presence to="${room}/tybalt"><x xmlns="http://jabber.org/protocol/muc"/></presence>`);
    await untilLine(tybalt, /^\+tybalt .*110/);
    tybalt.sends(`<presence to="${room}/tybalt" type="unavailable"/>`);
    await untilLine(tybalt, /^-tybalt/);
    owner.sends(`<message to="${tybalt.jid}" type="chat"><body>What is it?</body></message>`);
    await untilLine(tybalt, /What is it/);
    tybalt.sends(`<message to="${owner.jid}" type="chat"><body>A challenge</body></message>`);
    await untilLine(owner, /A challenge/);
  });

  it('removes an occupant when the address is published, until it is retracted, but no members', async () => {
    expect(await enters(tybalt, 'tybalt')).to.contain('member/');
    await publishes(`${benvolio.bare}`);
    const gone = await untilLine(benvolio, /^-guest /);
    expect(gone).to.contain('none/none').and.to.contain('reason=the address is on a block list').and.to.match(/ 307$/);
    await untilLine(owner, /^-guest .* 307$/);
    expect(await enters(benvolio, 'guest')).to.contain('forbidden');
    tybalt.sends(`<message to="${room}" type="groupchat"><body>I hate the word</body></message>`);
    await untilLine(owner, /I hate the word/);
    const retract = `<retract node="${node}" notify="true"><item id="${sha256(`${benvolio.bare}`)}"/></retract>`;
    await keeper.gets(
      `<iq type="set"><pubsub xmlns="${pubsub}">${retract}</pubsub></iq>`,
      '<iq type="result">...</iq>',
    );
    for (let tries = 0; tries < 500; tries++) if (!/^error/.test(await enters(benvolio, 'guest'))) return;
    expect.fail('the address is still blocked');
  });

  describe('removes a member', () => {
    const ways: readonly [way: string, ends: () => void][] = [
      ['whom the room dismisses', () => sets(owner, affiliated(tybalt, 'none'))],
      ['who ends the membership', () => sets(tybalt, '<query xmlns="jabber:iq:register"><remove/></query>')],
    ];
    for (const [way, ends] of ways)
      it(way, async () => {
        sets(owner, affiliated(tybalt, 'member'));
        await untilLine(owner, 'iq result');
        expect(await enters(tybalt, 'tybalt')).to.contain('member/');
        ends();
        for (const client of [tybalt, owner]) {
          await untilLine(client, /^\+tybalt none\//);
          const gone = await untilLine(client, /^-tybalt /);
          expect(gone)
            .to.contain('none/none')
            .and.to.match(/reason=the address is on a block list .*307$/);
        }
      });
  });

  it('is shown to the operator', async () => {
    const control = (await ControlClient.connect(here.directory)) ?? expect.fail('no control socket');
    const uri = `xmpp:${keeper.bare}?;node=${node}`;
    const { lists } = await control.call(listBlockLists, {});
    expect(lists.map(({ readAt, ...list }) => [typeof readAt, list])).to.deep.equal([
      ['string', { uri, entries: 1, followed: true }],
    ]);
    expect(await control.call(findInBlockLists, { address: `${tybalt.bare}` })).to.deep.equal({ lists: [uri] });
    expect(await control.call(findInBlockLists, { address: `${benvolio.bare}` })).to.deep.equal({ lists: [] });
  });
});
