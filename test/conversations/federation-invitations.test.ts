import { expect } from 'chai';
import { FederatedServer } from '../support/federated-server.ts';
import type { TestClient } from '../support/test-client.ts';
import { childOf } from '../support/xml-tree.ts';
import { push, rosterGet } from './roster-patterns.ts';

const [verona, mantua] = ['verona.example', 'mantua.example'];

describe('An invitation to a user of another server (XEP-0379)', () => {
  let servers: FederatedServer[];
  let juliet: TestClient;
  let romeo: TestClient;

  before(async () => {
    servers = await FederatedServer.startAll([verona, mantua], 'dialback');
    juliet = await (servers[0] as FederatedServer).arrives('juliet');
    romeo = await (servers[1] as FederatedServer).arrives('romeo');
    for (const client of [juliet, romeo]) await client.asks(rosterGet);
  });
  after(() => Promise.all(servers.map((server) => server.stop())));

  const rosterOf = async (client: TestClient) => {
    const query = childOf(await client.asks(rosterGet), 'query');
    return query?.children.map(({ attributes }) => [attributes.get('jid'), attributes.get('subscription')]);
  };

  it('makes both contacts, with nobody asked', async () => {
    const { raw } = await juliet.asks(
      `<iq type="set" to="${verona}"><command xmlns="http://jabber.org/protocol/commands" node="urn:xmpp:invite#invite"/></iq>`,
    );
    const [, token] = /preauth=(\w+)/.exec(raw) ?? [];
    romeo.sends(
      `<presence to="${juliet.bare}" type="subscribe"><preauth xmlns="urn:xmpp:pars:0" token="${token}"/></presence>`,
    );
    await juliet.receives(push(romeo.bare, 'subscription="from" ask="subscribe"'));
    await juliet.receivesInAnyOrder(
      push(romeo.bare, 'subscription="both"'),
      `<presence from="${romeo.bare}" to="${juliet.bare}" type="subscribed">...</presence>`,
      `<presence from="${romeo.jid}">...</presence>`,
    );
    expect(await rosterOf(juliet)).to.deep.equal([[romeo.bare, 'both']]);
    await romeo.drains();
    expect(await rosterOf(romeo)).to.deep.equal([[juliet.bare, 'both']]);
  });
});
