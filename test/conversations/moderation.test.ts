import { expect } from 'chai';
import { ControlClient } from '../../src/cli/control-client.ts';
import { announce, listNotices, removeNotice, setNotice } from '../../src/extensions/announcements.ts';
import { showRoom } from '../../src/groupchat/room-operations.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import {
  blockDomain,
  listBlockedDomains,
  resumeUser,
  suspendUser,
  unblockDomain,
} from '../../src/web/control/moderation-operations.ts';
import { listPeers } from '../../src/web/control/server-operations.ts';
import { FederatedServer } from '../support/federated-server.ts';
import { creates, joins, untilLine } from '../support/shares-rooms.ts';
import type { TestClient } from '../support/test-client.ts';

const [verona, mantua] = ['verona.example', 'mantua.example'] as const;

const room = `tomb@conference.${verona}`;

async function nicksIn({ directory }: FederatedServer): Promise<string[]> {
  const control = (await ControlClient.connect(directory)) ?? expect.fail('no control socket');
  return (await control.call(showRoom, { room })).occupants.map(({ nick }) => nick);
}

/** All clients are told why the guest has left the room, and no stream with another server is open. */
async function guestIsExpelled(here: FederatedServer, clients: readonly TestClient[]): Promise<void> {
  for (const client of clients) {
    const line = await untilLine(client, /^-guest /);
    expect(line).to.match(/ none\/none .*reason=this server does not communicate with the server of the user .*307$/);
  }
  expect(await nicksIn(here)).to.deep.equal(['owner']);
  const { streams } = await here.administration.call(listPeers, {});
  expect(streams.filter(({ state }) => state === 'open')).to.deep.equal([]);
}

describe('The operator of a server', () => {
  let here: FederatedServer;
  let there: FederatedServer;
  let romeo: TestClient;
  let apothecary: TestClient;

  before(async () => {
    [here, there] = (await FederatedServer.startAll([verona, mantua], 'dialback')) as [
      FederatedServer,
      FederatedServer,
    ];
    romeo = await here.arrives('romeo');
    apothecary = await there.arrives('apothecary');
  });
  after(() => Promise.all([here.stop(), there.stop()]));

  const control = async () => (await ControlClient.connect(here.directory)) ?? expect.fail('no control socket');
  const message = (from: string, to: string, text: string) =>
    `<message from="${from}" to="${to}" type="chat"><body>${text}</body></message>`;

  it('blocks a domain in both directions, also after a restart, and takes it back', async () => {
    romeo.sends(message(romeo.jid, apothecary.jid, 'before'));
    await apothecary.receives('<message>...</message>');
    await here.administration.call(blockDomain, { domain: 'Mantua.example', reason: 'poison' });
    const { domains } = await here.administration.call(listBlockedDomains, {});
    expect(domains).to.have.length(1);
    expect(domains[0]).to.include({ domain: mantua, reason: 'poison' });
    romeo.sends(message(romeo.jid, apothecary.jid, 'out'));
    await romeo.receives(`<message from="${apothecary.jid}" to="${romeo.jid}" type="error">...</message>`);
    apothecary.sends(message(apothecary.jid, romeo.jid, 'in'));
    await apothecary.receives(`<message from="${romeo.jid}" to="${apothecary.jid}" type="error">...</message>`);
    await here.halt();
    await here.start();
    romeo = await here.logsIn('romeo');
    romeo.sends(message(romeo.jid, apothecary.jid, 'out again'));
    await romeo.receives(`<message from="${apothecary.jid}" to="${romeo.jid}" type="error">...</message>`);
    await here.administration.call(unblockDomain, { domain: mantua });
    romeo.sends(message(romeo.jid, apothecary.jid, 'after'));
    await apothecary.receives(message(romeo.jid, apothecary.jid, 'after'));
    await apothecary.receivesNothing();
  });

  it('removes the users of a blocked domain from rooms, and tells them and those who stay', async () => {
    await creates(romeo, room);
    await joins(apothecary, room);
    await here.administration.call(blockDomain, { domain: mantua });
    await guestIsExpelled(here, [apothecary, romeo]);
    await here.administration.call(unblockDomain, { domain: mantua });
  });

  const codeOf = async (done: Promise<unknown>) => {
    const error = await done.catch((reason: unknown) => reason);
    return error instanceof Error && 'code' in error ? error.code : 'nothing';
  };

  it('cannot block what is served here, or unblock what is not blocked', async () => {
    const { administration } = here;
    expect(await codeOf(administration.call(blockDomain, { domain: verona }))).to.equal('invalid');
    expect(await codeOf(administration.call(blockDomain, { domain: 'a@b' }))).to.equal('invalid');
    expect(await codeOf(administration.call(unblockDomain, { domain: '*.mantua.example' }))).to.equal('not-found');
  });

  it('suspends an account: its session ends, logins are refused with the text, and messages are kept', async () => {
    const tybalt = await here.arrives('tybalt');
    const { bare } = tybalt;
    await here.administration.call(suspendUser, { jid: bare, reason: 'No brawls, by order of the prince' });
    await tybalt.receivesStreamError('not-authorized');
    const again = await here.connects();
    const refusal = await again.tries({ username: 'tybalt', password: 'pw' });
    expect(refusal.name).to.equal('failure');
    expect(refusal.children.map(({ name, text }) => `${name}: ${text}`)).to.deep.equal([
      'account-disabled: ',
      'text: No brawls, by order of the prince',
    ]);
    expect((await again.tries({ username: 'tybalt', password: 'wrong' })).children).to.have.length(1);
    romeo.sends(message(romeo.jid, bare, 'kept'));
    await romeo.drains();
    await here.administration.call(resumeUser, { jid: bare });
    const back = await here.logsIn('tybalt');
    expect(back.arrival.some(({ name }) => name === 'message')).to.equal(true);
    back.disconnects();
  });

  it('announces something to those who are online, and to all accounts', async () => {
    const sent = await (await control()).call(announce, { text: 'Peace!', to: 'online', subject: 'The prince' });
    expect(sent.recipients).to.be.at.least(1);
    await romeo.receives(
      `<message from="${verona}" to="${romeo.bare}" type="headline"><subject>The prince</subject><body>Peace!</body></message>`,
    );
    const all = await (await control()).call(announce, { text: 'Peace for all', to: 'all', domain: verona });
    expect(all.recipients).to.equal(2);
    await romeo.receives(
      `<message from="${verona}" to="${romeo.bare}" type="normal"><body>Peace for all</body></message>`,
    );
    const tybalt = await here.logsIn('tybalt');
    expect(tybalt.arrival.filter(({ name }) => name === 'message')).to.have.length(1);
    tybalt.disconnects();
    const elsewhere = (await control()).call(announce, { text: 'Peace!', to: 'all', domain: mantua });
    expect(await codeOf(elsewhere)).to.equal('not-found');
  });

  it('has a notice for each user who is online, and for each who comes online for the first time since', async () => {
    await (await control()).call(setNotice, { domain: verona, kind: 'online', text: 'Curfew at ten' });
    await romeo.receives(
      `<message from="${verona}" to="${romeo.bare}" type="headline"><body>Curfew at ten</body></message>`,
    );
    const noticesFor = async () => {
      const client = await here.logsIn('tybalt');
      const { length } = client.arrival.filter(({ attributes }) => attributes.get('type') === 'headline');
      await client.closes();
      return length;
    };
    expect([await noticesFor(), await noticesFor()]).to.deep.equal([1, 0]);
    expect((await (await control()).call(listNotices, {})).notices).to.have.length(1);
    await (await control()).call(removeNotice, { domain: verona, kind: 'online' });
    expect((await (await control()).call(listNotices, {})).notices).to.deep.equal([]);
    expect(await codeOf((await control()).call(removeNotice, { domain: verona, kind: 'online' }))).to.equal(
      'not-found',
    );
  });
});

describe('A domain that was blocked while the server was stopped', () => {
  let servers: FederatedServer[] = [];
  after(() => Promise.all(servers.map((server) => server.stop())));

  it('has no users in rooms any more', async () => {
    servers = await FederatedServer.startAll([verona, mantua], 'dialback');
    const [here, there] = servers as [FederatedServer, FederatedServer];
    await creates(await here.arrives('romeo'), room);
    await joins(await there.arrives('apothecary'), room);
    await here.halt();
    const storage = await openSqliteStorage({ dataDir: here.directory, onFatal: () => undefined, quickCheck: false });
    await storage.moderation.blockDomain({ domain: mantua, reason: undefined, atMs: Date.now() });
    await storage.close();
    await here.start();
    for (let tries = 0; (await nicksIn(here)).includes('guest'); tries++) if (tries > 10_000) expect.fail('it stays');
  });
});

describe('A reload that ends the contact with a domain', () => {
  let servers: FederatedServer[] = [];
  afterEach(() => Promise.all(servers.map((server) => server.stop())));

  for (const settings of [{ deny: [mantua] }, { allow: ['padua.example'] }])
    it(`removes its users from rooms: s2s ${JSON.stringify(settings)}`, async () => {
      servers = await FederatedServer.startAll([verona, mantua], 'dialback');
      const [here, there] = servers as [FederatedServer, FederatedServer];
      const [romeo, apothecary] = [await here.arrives('romeo'), await there.arrives('apothecary')];
      await creates(romeo, room);
      await joins(apothecary, room);
      await here.reloads({ settings });
      await guestIsExpelled(here, [apothecary, romeo]);
    });
});
