import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { creates, hearEachOther, joins, untilLine } from '../support/shares-rooms.ts';
import { TestClient } from '../support/test-client.ts';
import { childOf, findTree, type Tree } from '../support/xml-tree.ts';
import { needsPackages } from './needs-packages.ts';
import { PeerServer, peerGround } from './peer-server.ts';
import { prosodyWith } from './prosody.ts';

const domain = 'prosody.example';
const modules = ['mam', 'pep', 'private', 'blocklist', 'vcard_legacy'];
const pubsub = 'http://jabber.org/protocol/pubsub';
const form = (type: string, fields: string) =>
  `<x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE" type="hidden"><value>${type}</value></field>${fields}</x>`;
const open = '<field var="pubsub#access_model"><value>open</value></field>';

/** What Juliet stores. */
const stored = [
  '<query xmlns="jabber:iq:roster"><item jid="nurse@prosody.example" name="N &amp; ü"><group>Servants</group></item></query>',
  '<query xmlns="jabber:iq:private"><storage xmlns="urn:example:notes"><note>“hark” &lt;</note></storage></query>',
  '<block xmlns="urn:xmpp:blocking"><item jid="tybalt@prosody.example"/></block>',
  `<pubsub xmlns="${pubsub}"><publish node="urn:example:mood"><item id="one"><mood xmlns="urn:example:mood">hé</mood></item></publish>` +
    `<publish-options>${form(`${pubsub}#publish-options`, open)}</publish-options></pubsub>`,
];

/** What a client asks for, and the part of the answer that must be the same on both servers. */
const questions: readonly (readonly [payload: string, part: string])[] = [
  ['<query xmlns="jabber:iq:roster"/>', 'query'],
  ['<query xmlns="jabber:iq:private"><storage xmlns="urn:example:notes"/></query>', 'query'],
  ['<blocklist xmlns="urn:xmpp:blocking"/>', 'blocklist'],
  [`<pubsub xmlns="${pubsub}"><items node="urn:example:mood"/></pubsub>`, 'pubsub'],
  [`<pubsub xmlns="${pubsub}"><items node="urn:xmpp:vcard4"/></pubsub>`, 'pubsub'],
];

/** What both servers write differently without a difference in meaning. */
const insignificant = new Set(['ver', 'queryid', 'publisher']);

/** A tree as text with its attributes in alphabetical order. */
function canonical(tree: Tree): string {
  const attributes = Array.from(tree.attributes).filter(([name]) => !insignificant.has(name));
  const text = attributes.map(([name, value]) => ` ${name}=${JSON.stringify(value)}`).sort();
  return `<${tree.name} ${tree.ns}${text.join('')}>${tree.text}${tree.children.map(canonical).join('')}`;
}

/** The answer to a request, past everything else. */
async function answerTo(client: TestClient, type: 'get' | 'set', payload: string): Promise<Tree> {
  client.sends(`<iq type="${type}" id="ask">${payload}</iq>`);
  return (await untilAnswer(client)).at(-1) ?? expect.fail('no answer');
}

async function untilAnswer(client: TestClient): Promise<Tree[]> {
  const came: Tree[] = [];
  for (;;) {
    const tree = await client.receives('<any.>...</any.>');
    came.push(tree);
    if (tree.name === 'iq' && tree.attributes.get('id') === 'ask') return came;
  }
}

async function answersOf(client: TestClient): Promise<string[]> {
  const answers: string[] = [];
  for (const [payload, part] of questions) {
    const answer = await answerTo(client, 'get', payload);
    const found = childOf(answer, part) ?? childOf(answer, 'error');
    answers.push(found ? canonical(found) : answer.raw);
  }
  return answers;
}

/** The archived messages with their ids, and their times. */
async function archiveOf(client: TestClient) {
  client.sends('<iq type="set" id="ask"><query xmlns="urn:xmpp:mam:2"/></iq>');
  const results = (await untilAnswer(client)).flatMap((tree) => childOf(tree, 'result') ?? []);
  const times = results.map((result) => Date.parse(findTree(result, 'delay')?.attributes.get('stamp') ?? ''));
  return { messages: results.map((result) => canonical(result).replace(/ stamp="[^"]*"/, '')), times };
}

const muc = 'http://jabber.org/protocol/muc';
const options = {
  persistentroom: '1',
  roomname: 'Verona',
  roomdesc: 'Two houses',
  moderatedroom: '1',
  publicroom: '0',
  whois: 'anyone',
};

/** What the owner of the room sets: its options, and a member with a nickname. */
const roomSettings: readonly (readonly [ns: string, payload: string])[] = [
  [
    `${muc}#owner`,
    form(
      `${muc}#roomconfig`,
      Object.entries(options)
        .map(([name, value]) => `<field var="muc#roomconfig_${name}"><value>${value}</value></field>`)
        .join(''),
    ),
  ],
  [`${muc}#admin`, `<item jid="montague@${domain}" affiliation="admin"/>`],
  [`${muc}#admin`, `<item jid="tybalt@${domain}" affiliation="outcast"/>`],
];

/** What the owner of a room sees of it. */
async function roomAnswers(owner: TestClient, room: string): Promise<unknown> {
  const lists: string[] = [];
  for (const affiliation of ['owner', 'admin', 'member', 'outcast']) {
    owner.sends(
      `<iq type="get" to="${room}" id="ask"><query xmlns="${muc}#admin"><item affiliation="${affiliation}"/></query></iq>`,
    );
    const items = childOf((await untilAnswer(owner)).at(-1) ?? expect.fail(), 'query')?.children ?? [];
    lists.push(...items.map(({ attributes }) => `${attributes.get('jid')} ${attributes.get('affiliation')}`));
  }
  owner.sends(`<iq type="get" to="${room}" id="ask"><query xmlns="${muc}#owner"/></iq>`);
  const sheet = findTree((await untilAnswer(owner)).at(-1) ?? expect.fail(), 'x');
  const settings = (sheet?.children ?? []).flatMap((field) => {
    const name = field.attributes.get('var')?.replace('muc#roomconfig_', '') ?? '';
    return name in options ? [`${name}=${childOf(field, 'value')?.text}`] : [];
  });
  owner.sends(`<iq type="set" to="${room}" id="ask"><query xmlns="urn:xmpp:mam:2"/></iq>`);
  const archived = (await untilAnswer(owner)).flatMap((tree) => {
    const message = findTree(tree, 'forwarded') && findTree(findTree(tree, 'forwarded') ?? tree, 'message');
    const body = message && childOf(message, 'body');
    return body ? [`${message.attributes.get('from')}: ${body.text}`] : [];
  });
  return { lists, settings: settings.sort(), archived };
}

describe('The data directory of Prosody', () => {
  needsPackages(prosodyWith(modules).packages);
  let peer: PeerServer;
  let server: ServerProcess;

  before(async () => {
    const ground = await peerGround(domain);
    const given = { trustedFile: ground.authorityFile, dns: { host: '127.0.0.1', port: 1 } };
    peer = await PeerServer.start(prosodyWith(modules, ['muc_mam']), ground, {
      ...given,
      way: 'dialback',
      bidi: false,
    });
    server = await startServer({ domains: [domain] });
  });

  after(async () => {
    await peer?.stop();
    await server?.stop();
  });

  async function logsIn(name: string, presence: boolean): Promise<TestClient> {
    const tls = { ca: await readFile(server.caFile), servername: domain, ALPNProtocols: ['xmpp-client'] };
    const client = await TestClient.connect({ host: '127.0.0.1', port: server.place.ports.direct, tls }, domain);
    await client.opens();
    await client.authenticates({ username: name, password: 'pw', mechanism: 'SCRAM-SHA-1' });
    await client.binds('r');
    if (presence) client.sends('<presence/>');
    return client;
  }

  it('comes over whole: clients get the same answers before and after', async () => {
    const [juliet, romeo] = [await peer.arrives('juliet'), await peer.arrives('romeo')];
    for (const payload of stored) expect((await answerTo(juliet, 'set', payload)).raw).to.include('result');
    expect((await answerTo(juliet, 'set', '<vCard xmlns="vcard-temp"><FN>Juliet</FN></vCard>')).raw).to.include(
      'result',
    );
    const chat = (id: string) =>
      `<message to="juliet@${domain}" type="chat" id="${id}"><body>${id} &amp; more</body></message>`;
    romeo.sends(`${chat('first')}<presence to="juliet@${domain}" type="subscribe"/>`);
    const before = { juliet: await answersOf(juliet), romeo: await answersOf(romeo) };
    await juliet.closes();
    romeo.sends(chat('stored'));
    const archive = await archiveOf(romeo);
    expect(archive.messages).to.have.length(2);

    const summary = JSON.parse(await server.ampere('user', 'import', peer.dataDirectory, '--json'));
    expect(summary).to.deep.equal({ created: 2, skipped: [], problems: [], losses: [] });

    const again = { juliet: await logsIn('juliet', false), romeo: await logsIn('romeo', false) };
    expect(await answersOf(again.juliet)).to.deep.equal(before.juliet);
    expect(await answersOf(again.romeo)).to.deep.equal(before.romeo);
    const imported = await archiveOf(again.romeo);
    expect(imported.messages).to.deep.equal(archive.messages);
    // Prosody rounds to seconds, perhaps into the future, where no archive here begins.
    for (const [index, atMs] of imported.times.entries()) expect(atMs).to.be.closeTo(archive.times[index] ?? 0, 1000);
    again.juliet.sends('<presence/>');
    const arrived = (await untilBoth(again.juliet)).map(({ name }) => name);
    expect(arrived).to.have.members(['message', 'presence']);
  });

  it('comes over with its rooms: their options, affiliations, subjects and archives', async () => {
    const room = `verona@conference.${domain}`;
    const [owner, member] = [await peer.arrives('capulet'), await peer.arrives('montague')];
    await creates(owner, room);
    for (const [ns, payload] of roomSettings) {
      owner.sends(`<iq type="set" to="${room}" id="ask"><query xmlns="${ns}">${payload}</query></iq>`);
      expect((await untilAnswer(owner)).at(-1)?.raw).to.include('result');
    }
    owner.sends(`<message to="${room}" type="groupchat"><subject>The feud &amp; more</subject></message>`);
    await joins(member, room);
    await hearEachOther({ room, owner, guest: member }, 'before');
    const before = await roomAnswers(owner, room);
    for (const client of [owner, member]) client.sends(`<presence to="${room}/x" type="unavailable"/>`);

    await server.ampere('user', 'import', peer.dataDirectory);
    const summary = JSON.parse(await server.ampere('room', 'import', peer.dataDirectory, '--json'));
    expect(summary).to.deep.include({ created: 1, skipped: [], problems: [] });

    const again = await logsIn('capulet', true);
    again.sends(`<presence to="${room}/owner"><x xmlns="http://jabber.org/protocol/muc"/></presence>`);
    await untilLine(again, 'owner: before (late)');
    await untilLine(again, 'owner # The feud & more (late)');
    expect(await roomAnswers(again, room)).to.deep.equal(before);
    const repeated = JSON.parse(await server.ampere('room', 'import', peer.dataDirectory, '--json'));
    expect(repeated).to.deep.include({ created: 0, skipped: [room] });
  });

  /** The message that was stored and the subscription request, in any order. */
  async function untilBoth(client: TestClient): Promise<Tree[]> {
    const isWanted = ({ raw }: Tree) => raw.includes('stored &amp; more') || raw.includes('type="subscribe"');
    const came: Tree[] = [];
    while (came.length < 2) {
      const tree = await client.receives('<any.>...</any.>');
      if (isWanted(tree)) came.push(tree);
    }
    return came;
  }
});
