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
    const followed = logged(here, 'a block list is followed');
    await here.reloads({ more: { moderation: { blockLists: [{ service: keeper.bare, node }] } } });
    await followed;
  });
  after(() => Promise.all([here.stop(), there.stop()]));

  /** Resolves when a server has logged a line with this text. */
  function logged({ log }: FederatedServer, text: string): Promise<void> {
    return new Promise((resolve) => {
      const stop = log.follow((line) => {
        if (!line.includes(text)) return;
        stop();
        resolve();
      });
    });
  }
  async function publishes(address: string): Promise<void> {
    const item = `<item id="${sha256(address)}"><report xmlns="urn:xmpp:reporting:1" reason="urn:xmpp:reporting:spam"/></item>`;
    const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
    const options = `${field('FORM_TYPE', `${pubsub}#publish-options`)}${field('pubsub#access_model', 'open')}${field('pubsub#max_items', 'max')}`;
    await keeper.gets(
      `<iq type="set"><pubsub xmlns="${pubsub}"><publish node="${node}">${item}</publish><publish-options><x xmlns="jabber:x:data" type="submit">${options}</x></publish-options></pubsub></iq>`,
      '<iq type="result">...</iq>',
    );
  }
  /** Writes to the room until it is refused, or until it is not. */
  async function writesUntil(client: TestClient, wanted: RegExp): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
      client.sends(`<message to="${room}" type="groupchat" id="t${tries}"><body>Peace?</body></message>`);
      if (wanted.test(await untilLine(client, /^error|Peace/))) return;
    }
    throw new Error(`${client.jid} got nothing like ${wanted}`);
  }

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
    owner.sends(
      `<iq type="set" to="${room}" id="member"><query xmlns="http://jabber.org/protocol/muc#admin"><item jid="${tybalt.bare}" affiliation="member"/></query></iq>`,
    );
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

  it('silences an occupant when the address is published, until it is retracted', async () => {
    await writesUntil(benvolio, /Peace/);
    await publishes(`${benvolio.bare}`);
    await writesUntil(benvolio, /^error.*forbidden/);
    const retract = `<retract node="${node}" notify="true"><item id="${sha256(`${benvolio.bare}`)}"/></retract>`;
    await keeper.gets(
      `<iq type="set"><pubsub xmlns="${pubsub}">${retract}</pubsub></iq>`,
      '<iq type="result">...</iq>',
    );
    await writesUntil(benvolio, /Peace/);
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
