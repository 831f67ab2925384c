import { expect } from 'chai';
import type { TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';
import { DefaultServer, domain } from './default-server.ts';

const disco = 'http://jabber.org/protocol/disco#info';
const muc = 'http://jabber.org/protocol/muc';
const pubsub = 'http://jabber.org/protocol/pubsub';
const upload = 'urn:xmpp:http:upload:0';

/** The children of a reply's query of one name, each as the value of one attribute. */
function values(reply: Tree, element: string, attribute: string): (string | undefined)[] {
  const children = childOf(reply, 'query')?.children ?? [];
  return children.filter(({ name }) => name === element).map(({ attributes }) => attributes.get(attribute));
}

const info = (client: TestClient, to: string) =>
  client.asks(`<iq type="get" to="${to}"><query xmlns="${disco}"/></iq>`);
const features = async (client: TestClient, to: string) => values(await info(client, to), 'feature', 'var');

/** The domain of the service with an identity. */
async function serviceWith(client: TestClient, identity: string): Promise<string> {
  const items = await client.asks(
    `<iq type="get" to="${domain}"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>`,
  );
  for (const jid of values(items, 'item', 'jid')) {
    const reply = await info(client, jid ?? '');
    const types = values(reply, 'identity', 'type');
    const found = values(reply, 'identity', 'category').map((category, index) => `${category}/${types[index]}`);
    if (found.includes(identity)) return jid ?? '';
  }
  throw new Error(`no service is ${identity}`);
}

/** Creates a room and returns its address. */
async function createsRoom(client: TestClient): Promise<string> {
  const name = client.bare.slice(0, client.bare.indexOf('@'));
  const room = `garden-of-${name}@${await serviceWith(client, 'conference/text')}`;
  client.sends(`<presence to="${room}/juliet"><x xmlns="${muc}"/></presence>`);
  await client.receives(`<presence from="${room}/juliet">...</presence>`);
  const form = `<query xmlns="${muc}#owner"><x xmlns="jabber:x:data" type="submit"/></query>`;
  client.sends(`<iq type="set" to="${room}" id="create">${form}</iq>`);
  await client.receivesInAnyOrder('<iq type="result" id="create">...</iq>', '<message type="groupchat">...</message>');
  return room;
}

/** Asks for a place to put a file; returns its path. */
async function uploadPath(client: TestClient): Promise<string> {
  const service = await serviceWith(client, 'store/file');
  const slot = await client.asks(
    `<iq type="get" to="${service}"><request xmlns="${upload}" filename="balcony.png" size="10"/></iq>`,
  );
  const put = findTree(slot, 'put')?.attributes.get('url') ?? '';
  expect(put).to.match(new RegExp(`^https://${domain}[:/]`));
  return new URL(put).pathname;
}

/** What a checker does with a client of an account; it throws if the server fails. */
type Check = (client: TestClient, server: DefaultServer) => Promise<void>;

const onAccount =
  (feature: string): Check =>
  async (client) => {
    expect(await features(client, client.bare)).to.include(feature);
  };

const onDomain =
  (feature: string): Check =>
  async (client) => {
    expect(await features(client, domain)).to.include(feature);
  };

const inStream =
  (name: string, ns: string): Check =>
  async (client) => {
    expect(client.features && childOf(client.features, name)?.ns).to.equal(ns);
  };

async function checkDiscovery(_client: TestClient, server: DefaultServer): Promise<void> {
  const xrd = await server.asks('GET', '/.well-known/host-meta');
  const json = await server.asks('GET', '/.well-known/host-meta.json');
  for (const { status, headers } of [xrd, json]) {
    expect([status, headers['access-control-allow-origin']]).to.deep.equal([200, '*']);
  }
  const links: { links: { rel: string; href: string }[] } = JSON.parse(json.body);
  for (const { rel, href } of links.links) {
    expect(xrd.body).to.contain(`rel="${rel}"`).and.to.contain(href);
    const { pathname } = new URL(href);
    if (rel.endsWith(':websocket')) expect(await server.upgrades(pathname)).to.equal('101 xmpp');
    else {
      const { status, headers } = await server.asks('OPTIONS', pathname, { Origin: 'https://checker.example' });
      expect([status < 300, headers['access-control-allow-origin']]).to.deep.equal([true, '*']);
    }
  }
  expect(links.links.map(({ rel }) => rel)).to.have.members([
    'urn:xmpp:alt-connections:websocket',
    'urn:xmpp:alt-connections:xbosh',
  ]);
}

async function checkDirectTls(_client: TestClient, server: DefaultServer): Promise<void> {
  const client = await server.connect();
  expect(client.connection.tls?.alpnProtocol).to.equal('xmpp-client');
  await client.opens();
  client.disconnects();
}

async function checkUploadPreflight(client: TestClient, server: DefaultServer): Promise<void> {
  const path = await uploadPath(client);
  const { status, headers } = await server.asks('OPTIONS', path, {
    Origin: 'https://checker.example',
    'Access-Control-Request-Method': 'PUT',
    'Access-Control-Request-Headers': 'content-type',
  });
  expect(status).to.be.below(300);
  expect(headers['access-control-allow-origin']).to.equal('*');
  expect(headers['access-control-allow-methods']).to.contain('PUT');
  expect(headers['access-control-allow-headers']?.toLowerCase()).to.contain('content-type');
}

/** A device list that everybody may read, published with preconditions, must be readable by a stranger. */
async function checkEncryption(client: TestClient, server: DefaultServer): Promise<void> {
  const node = 'eu.siacs.conversations.axolotl.devicelist';
  const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
  const form = field('FORM_TYPE', `${pubsub}#publish-options`) + field('pubsub#access_model', 'open');
  const options = `<publish-options><x xmlns="jabber:x:data" type="submit">${form}</x></publish-options>`;
  const item = '<item id="current"><list xmlns="eu.siacs.conversations.axolotl"/></item>';
  const publish = `<publish node="${node}">${item}</publish>${options}`;
  await client.gets(`<iq type="set"><pubsub xmlns="${pubsub}">${publish}</pubsub></iq>`, '<iq type="result">...</iq>');
  const stranger = await server.arrives('stranger');
  const items = `<pubsub xmlns="${pubsub}"><items node="${node}"/></pubsub>`;
  const read = await stranger.asks(`<iq type="get" to="${client.bare}">${items}</iq>`);
  expect(findTree(read, 'list')?.ns).to.equal('eu.siacs.conversations.axolotl');
  stranger.disconnects();
}

/** What a client stores as private XML comes back. */
async function checkPrivateXml(client: TestClient): Promise<void> {
  const query = (content: string) => `<query xmlns="jabber:iq:private">${content}</query>`;
  await client.asks(`<iq type="set">${query('<notes xmlns="storage:notes">a balcony</notes>')}</iq>`);
  const stored = await client.asks(`<iq type="get">${query('<notes xmlns="storage:notes"/>')}</iq>`);
  expect(stored.raw).to.contain('>a balcony</notes>');
}

/** A node for private data is created with its preconditions, and nobody else reads it. */
async function checkPrivateNode(client: TestClient, server: DefaultServer): Promise<void> {
  const node = 'urn:example:private';
  const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
  const options = field('FORM_TYPE', `${pubsub}#publish-options`) + field('pubsub#persist_items', 'true');
  const form = `<x xmlns="jabber:x:data" type="submit">${options}${field('pubsub#access_model', 'whitelist')}</x>`;
  const publish = `<publish node="${node}"><item id="current"><secret xmlns="${node}"/></item></publish>`;
  const content = `<pubsub xmlns="${pubsub}">${publish}<publish-options>${form}</publish-options></pubsub>`;
  await client.gets(`<iq type="set">${content}</iq>`, '<iq type="result">...</iq>');
  const stranger = await server.arrives('paris');
  const items = `<pubsub xmlns="${pubsub}"><items node="${node}"/></pubsub>`;
  const own = await client.asks(`<iq type="get">${items}</iq>`);
  const foreign = await stranger.asks(`<iq type="get" to="${client.bare}">${items}</iq>`);
  expect([own, foreign].map((reply) => findTree(reply, 'secret')?.ns)).to.deep.equal([node, undefined]);
  expect(foreign.attributes.get('type')).to.equal('error');
  stranger.disconnects();
}

async function checkVcard(client: TestClient): Promise<void> {
  await client.asks('<iq type="set"><vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard></iq>');
  const stored = await client.asks('<iq type="get"><vCard xmlns="vcard-temp"/></iq>');
  expect(stored.raw).to.contain('<FN>Juliet</FN>');
}

async function checkSelfPing(client: TestClient): Promise<void> {
  const room = await createsRoom(client);
  const reply = await client.asks(`<iq type="get" to="${room}/juliet"><ping xmlns="urn:xmpp:ping"/></iq>`);
  expect(reply.attributes.get('type')).to.equal('result');
}

async function checkRoomArchive(client: TestClient): Promise<void> {
  expect(await features(client, await createsRoom(client))).to.include('urn:xmpp:mam:2');
}

async function checkRoomVcard(client: TestClient): Promise<void> {
  expect(await features(client, await createsRoom(client))).to.include('vcard-temp');
}

async function hasService(client: TestClient, identity: string): Promise<void> {
  await serviceWith(client, identity);
}

async function checkInvitation(client: TestClient, server: DefaultServer): Promise<void> {
  const stranger = await server.arrives('rosaline');
  const invitation = '<x xmlns="jabber:x:conference" jid="balcony@conference.capulet.example"/>';
  client.sends(`<message to="${stranger.bare}">${invitation}</message>`);
  await stranger.receives(`<message>${invitation}...</message>`);
  stranger.disconnects();
}

/** Those that a server passes with nothing but its domain configured. */
const byDefault: Readonly<Record<string, Check>> = {
  'XEP-0045: Multi-User Chat': (client) => hasService(client, 'conference/text'),
  'XEP-0049: Private XML Storage': checkPrivateXml,
  'XEP-0054: vcard-temp': checkVcard,
  'XEP-0065: SOCKS5 Bytestreams': (client) => hasService(client, 'proxy/bytestreams'),
  'XEP-0115: Entity Capabilities': inStream('c', 'http://jabber.org/protocol/caps'),
  'XEP-0156: Discovering Alternative XMPP Connection Methods': checkDiscovery,
  'XEP-0160: Best Practices for Handling Offline Messages': onDomain('msgoffline'),
  'XEP-0163: Personal Eventing Protocol': async (client) => {
    const reply = await info(client, client.bare);
    expect(values(reply, 'identity', 'type')).to.include('pep');
    expect(values(reply, 'feature', 'var')).to.include(`${pubsub}#publish-options`);
  },
  'XEP-0191: Blocking Command': onDomain('urn:xmpp:blocking'),
  'XEP-0198: Stream Management': inStream('sm', 'urn:xmpp:sm:3'),
  'XEP-0223: Persistent Storage of Private Data via PubSub': checkPrivateNode,
  'XEP-0237: Roster Versioning': inStream('ver', 'urn:xmpp:features:rosterver'),
  'XEP-0249: Direct MUC Invitations': checkInvitation,
  'XEP-0280: Message Carbons': onDomain('urn:xmpp:carbons:2'),
  'XEP-0313: Message Archive Management': onAccount('urn:xmpp:mam:2'),
  'XEP-0313: Message Archive Management (rooms)': checkRoomArchive,
  'XEP-0352: Client State Indication': inStream('csi', 'urn:xmpp:csi:0'),
  'XEP-0357: Push Notifications': onAccount('urn:xmpp:push:0'),
  'XEP-0363: HTTP File Upload': (client) => hasService(client, 'store/file'),
  'XEP-0363: HTTP File Upload (CORS headers)': checkUploadPreflight,
  'XEP-0368: SRV records for XMPP over TLS': checkDirectTls,
  'XEP-0384: OMEMO Encryption': checkEncryption,
  'XEP-0398: User Avatar to vCard-Based Avatars Conversion': onAccount('urn:xmpp:pep-vcard-conversion:0'),
  'XEP-0402: PEP Native Bookmarks': onAccount('urn:xmpp:bookmarks:1#compat'),
  'XEP-0410: MUC Self-Ping': checkSelfPing,
  'XEP-0411: Bookmarks Conversion': onAccount('urn:xmpp:bookmarks-conversion:0'),
  'XEP-0486: MUC Avatars': checkRoomVcard,
};

/** Those that need facts that only the operator knows. */
const configured: Readonly<Record<string, Check>> = {
  'XEP-0077: In-Band Registration': async (_client, server) => {
    const stranger = await server.connect();
    expect(childOf(await stranger.opens(), 'register')?.ns).to.equal('http://jabber.org/features/iq-register');
    stranger.disconnects();
  },
  'XEP-0157: Contact Addresses for XMPP Services (abuse)': async (client) => {
    expect((await info(client, domain)).raw).to.contain('mailto:abuse@capulet.example');
  },
  'XEP-0215: External Service Discovery (STUN and TURN)': async (client) => {
    const reply = await client.asks(`<iq type="get" to="${domain}"><services xmlns="urn:xmpp:extdisco:2"/></iq>`);
    const services = childOf(reply, 'services')?.children ?? [];
    const found = services.map(({ attributes }) => [attributes.get('type'), attributes.has('password')]);
    expect(found).to.deep.equal([
      ['stun', false],
      ['turn', true],
    ]);
  },
};

/** A test for each row of a table, all with one server. */
function runs(checks: Readonly<Record<string, Check>>, settings?: object): void {
  const server = new DefaultServer(settings);
  let client: TestClient;
  before(() => server.start());
  after(() => server.stop());
  let accounts = 0;
  beforeEach(async () => {
    accounts += 1;
    client = await server.arrives(`juliet${accounts}`);
  });
  afterEach(() => client.disconnects());
  for (const [title, check] of Object.entries(checks)) it(title, () => check(client, server));
}

describe('The checks that users of clients run against a server', () => {
  describe('pass with nothing but a domain configured', () => {
    runs(byDefault);
  });

  describe('pass with what only the operator knows', () => {
    runs(configured, {
      registration: { inBand: true },
      contact: { abuse: ['mailto:abuse@capulet.example'] },
      externalServices: [
        { type: 'stun', host: 'turn.capulet.example' },
        { type: 'turn', host: 'turn.capulet.example', secret: 'a-secret-of-the-turn-server' },
      ],
    });
  });
});
