import { expect } from 'chai';
import { archive } from '../../src/extensions/archive/archive.ts';
import { carbons } from '../../src/extensions/carbons/carbons.ts';
import { displayedMarkers } from '../../src/extensions/displayed-markers.ts';
import { offline } from '../../src/extensions/offline/offline.ts';
import type { StubSession } from '../support/stub-session.ts';
import { answersDisco, comesOnline, get, notified, ownerGet, pepBench, publish, settled } from './pep/pep-bench.ts';

const node = 'urn:xmpp:mds:displayed:0';
const stored = { maxMessages: 10, maxBytes: 100_000, toArchiveClients: false };
const archived = { enabled: true, markers: true, keepDays: 365, maxPerAccount: null };

describe('displayed markers in messages (XEP-0490 §4.5)', () => {
  const bench = pepBench({
    more: (deps, nodes) => [
      displayedMarkers({ nodes, log: deps.log }),
      offline({ ...deps, store: deps.storage.offline, options: stored }),
      archive({ ...deps, options: archived }),
      carbons(deps.sessions),
    ],
  });

  const marker = (id = 'sid', by = 'juliet@localhost') =>
    `<displayed xmlns='${node}'><stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='${id}'/></displayed>`;
  const read = "<displayed xmlns='urn:xmpp:chat-markers:0' id='m1'/>";
  const message = (to: string, content: string, type = 'chat') =>
    `<message type='${type}' to='${to}' id='x'>${content}</message>`;
  const itemsOf = async (session: StubSession) => {
    const [answer = ''] = await bench.asks(session, get(`<items node='${node}'/>`));
    return Array.from(answer.matchAll(/<item id="([^"]*)">.*? id="([^"]*)"\/>/g), ([, item, id]) => `${item} ${id}`);
  };

  /** A user with two devices, and somebody to write to. */
  async function cast() {
    const account = await bench.account();
    const [desk, phone] = [await bench.session(account, 'desk'), await bench.session(account, 'phone')];
    const romeo = await bench.user('romeo', '<presence/>');
    for (const session of [desk, phone])
      await bench.does(session, `<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>`);
    await comesOnline(bench, phone, node);
    phone.taken();
    return { desk, phone, romeo };
  }

  it('are announced on the account', async () => {
    const { desk } = await cast();
    const query = `<query xmlns='http://jabber.org/protocol/disco#info'/>`;
    const [answer] = await bench.asks(desk, `<iq type='get' id='d' to='${desk.account.key}'>${query}</iq>`);
    expect(answer).to.contain('<feature var="urn:xmpp:mds:server-assist:0"/>');
  });

  it('become private items with the id of the addressee, and leave the message everywhere', async () => {
    const { desk, phone, romeo } = await cast();
    const to = romeo.account.key;
    await bench.does(desk, message(to, `${read}${marker()}<body>seen</body>`));
    await settled();
    const copies = [romeo.taken(), phone.taken().filter((text) => text.includes('<sent '))];
    for (const texts of copies) {
      expect(texts).to.have.length(1);
      expect(texts[0]).to.contain('urn:xmpp:chat-markers:0').and.to.contain('seen').and.not.to.contain(node);
    }
    for (const session of [desk, romeo]) {
      const found = await bench.asks(session, `<iq type='set' id='q'><query xmlns='urn:xmpp:mam:2'/></iq>`);
      expect(found).to.have.length(2);
      expect(found[0]).to.contain('seen').and.not.to.contain(node);
    }
    expect(await itemsOf(desk)).to.deep.equal([`${to} sid`]);
    const [form] = await bench.asks(desk, ownerGet(`<configure node='${node}'/>`));
    for (const [field, value] of [
      ['access_model', 'whitelist'],
      ['max_items', 'max'],
      ['send_last_published_item', 'never'],
    ])
      expect(form).to.match(new RegExp(`var="pubsub#${field}"[^>]*><value>${value}</value>`));
  });

  it('tell the other devices of the user, and nobody else', async () => {
    const { desk, phone, romeo } = await cast();
    await bench.befriend(desk.account, romeo.account);
    await comesOnline(bench, romeo, node);
    romeo.taken();
    await bench.does(desk, message(romeo.account.key, `${read}${marker()}`));
    await answersDisco(bench, phone, [node]);
    phone.sent.splice(0, phone.sent.length, ...phone.sent.filter(({ type }) => type === 'headline'));
    expect(notified(phone)).to.deep.equal([`headline juliet ${node} item ${romeo.account.key}`]);
    expect(romeo.taken().join()).not.to.contain(node);
  });

  it('alone in a message leave nothing to deliver', async () => {
    const { desk, romeo } = await cast();
    desk.taken();
    await bench.does(desk, message(romeo.account.key, marker()));
    await settled();
    expect(romeo.taken()).to.deep.equal([]);
    expect(desk.taken()).to.deep.equal([]);
    expect(await itemsOf(desk)).to.deep.equal([`${romeo.account.key} sid`]);
  });

  it('have the full address of an occupant as their id, and none without an addressee', async () => {
    const { desk } = await cast();
    await bench.does(desk, message('room@rooms.example/nick', `${read}${marker()}`));
    await bench.does(desk, `<message type='chat'>${read}${marker('other')}</message>`);
    await settled();
    expect(await itemsOf(desk)).to.deep.equal(['room@rooms.example/nick sid']);
  });

  it('that come while the disk works are written together, the last for each conversation', async () => {
    const { desk } = await cast();
    const sent = [1, 2, 3].flatMap((turn) =>
      ['a@x.example', 'b@x.example'].map((to) => bench.does(desk, message(to, `${read}${marker(`${to[0]}${turn}`)}`))),
    );
    await Promise.all(sent);
    await settled();
    expect((await itemsOf(desk)).sort()).to.deep.equal(['a@x.example a3', 'b@x.example b3']);
  });

  it('are durable before the message is acknowledged', async () => {
    const { desk, romeo } = await cast();
    desk.needsAck = true;
    await bench.does(desk, message(romeo.account.key, marker()));
    expect(desk.awaited).to.have.length(1);
    await Promise.all(desk.awaited);
    expect(await bench.storage.pep.itemIds(desk.account.key, node)).to.deep.equal([romeo.account.key]);
  });

  it('that cannot be published are taken out all the same', async () => {
    const { desk, romeo } = await cast();
    await bench.does(desk, message(romeo.account.key, `<body>1</body>${marker('x'.repeat(5000))}`));
    for (let at = 0; at < 500; at++) await bench.does(desk, publish(`urn:${at}`, 'a'));
    await bench.does(desk, message(romeo.account.key, `<body>2</body>${marker()}`));
    await settled();
    expect(romeo.taken().map((text) => text.replace(/<message[^>]*>|<stanza-id.*/g, ''))).to.deep.equal([
      '<body>1</body>',
      '<body>2</body>',
    ]);
    expect(bench.log.alarms).to.deep.equal([]);
    expect(await itemsOf(desk)).to.deep.equal([]);
  });

  it('of others are left alone', async () => {
    const { desk } = await cast();
    await bench.comes(`<message type='chat' from='a@x.example/r' to='${desk.jid}'>${read}${marker()}</message>`);
    expect(desk.taken().join()).to.contain(node);
    expect(await itemsOf(desk)).to.deep.equal([]);
  });
});
