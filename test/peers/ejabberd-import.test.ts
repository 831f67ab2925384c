import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../support/free-port.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { creates, hearEachOther, joins, untilLine } from '../support/shares-rooms.ts';
import { ejabberdWith, sqliteFile } from './ejabberd.ts';
import {
  answersOf,
  archiveOf,
  expectMovedIn,
  form,
  logsInAt,
  type Question,
  roomAnswers,
  stores,
  untilAll,
} from './moving-in.ts';
import { needsPackages } from './needs-packages.ts';
import { PeerServer, peerGround } from './peer-server.ts';

const domain = 'ejabberd.example';
const modules = `
  mod_blocking: {}
  mod_caps: {}
  mod_mam: { default: always, request_activates_archiving: false }
  mod_privacy: {}
  mod_private: {}
  mod_pubsub: { plugins: [flat, pep], force_node_config: {} }
  mod_vcard: {}
`;
const pubsub = 'http://jabber.org/protocol/pubsub';
const open = form(`${pubsub}#publish-options`, { 'pubsub#access_model': 'open' });

/** What Juliet stores. */
const stored = [
  `<query xmlns="jabber:iq:roster"><item jid="nurse@${domain}" name="N &amp; ü €"><group>Servants</group></item></query>`,
  '<query xmlns="jabber:iq:private"><storage xmlns="urn:example:notes"><note>“hark” &lt;</note></storage></query>',
  `<block xmlns="urn:xmpp:blocking"><item jid="tybalt@${domain}"/></block>`,
  `<pubsub xmlns="${pubsub}"><publish node="urn:example:mood"><item id="one"><mood xmlns="urn:example:mood">hé “\\”</mood></item></publish>` +
    `<publish-options>${open}</publish-options></pubsub>`,
  '<vCard xmlns="vcard-temp"><FN>Juliet “J.”</FN><DESC>one\ntwo</DESC></vCard>',
];

const questions: readonly Question[] = [
  ['<query xmlns="jabber:iq:roster"/>', 'query'],
  ['<query xmlns="jabber:iq:private"><storage xmlns="urn:example:notes"/></query>', 'query'],
  ['<blocklist xmlns="urn:xmpp:blocking"/>', 'blocklist'],
  [`<pubsub xmlns="${pubsub}"><items node="urn:example:mood"/></pubsub>`, 'pubsub'],
  ['<vCard xmlns="vcard-temp"/>', 'vCard'],
];

/** Of somebody who has neither nodes nor a vCard: ejabberd answers with nothing, not with an error. */
const fewer = questions.slice(0, 3);

const muc = 'http://jabber.org/protocol/muc';
const options = {
  persistentroom: '1',
  roomname: 'Verona “x”',
  roomdesc: 'Two houses',
  moderatedroom: '1',
  publicroom: '0',
  membersonly: '0',
  whois: 'anyone',
  changesubject: '1',
  maxusers: '50',
  passwordprotectedroom: '1',
  roomsecret: 'rosemary',
  allowinvites: '1',
  mam: '1',
};

/** The options that both servers show under the same name. The others have names of their own, or the room has another word for them. */
const optionNames = new Set(
  Object.keys(options).filter((name) => !['allowinvites', 'mam', 'moderatedroom', 'maxusers'].includes(name)),
);

/** What the owner of the room sets: its options, and the affiliations of others. */
const roomSettings = [
  `<query xmlns="${muc}#owner">${form(
    `${muc}#roomconfig`,
    Object.fromEntries(Object.entries(options).map(([name, value]) => [`muc#roomconfig_${name}`, value])),
  )}</query>`,
  `<query xmlns="${muc}#admin"><item jid="montague@${domain}" affiliation="admin"/></query>`,
  `<query xmlns="${muc}#admin"><item jid="tybalt@${domain}" affiliation="outcast"><reason>brawl</reason></item></query>`,
];

describe('A dump of ejabberd', () => describeImport({ sqlite: false }));

describe('The SQLite database of ejabberd', () => describeImport({ sqlite: true }));

/** Defines how what clients have stored at ejabberd, in Mnesia or in SQLite, is the same here. */
function describeImport({ sqlite }: { readonly sqlite: boolean }): void {
  needsPackages(ejabberdWith({ modules, httpPort: 0, sqlite }).packages);
  let peer: PeerServer;
  let server: ServerProcess;
  let httpPort: number;

  before(async () => {
    const ground = await peerGround(domain);
    httpPort = await freePort();
    const given = { trustedFile: ground.authorityFile, dns: { host: '127.0.0.1', port: 1 } };
    peer = await PeerServer.start(ejabberdWith({ modules, httpPort, sqlite }), ground, {
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

  /** What is imported: the database itself, or what `ejabberdctl dump` makes of it. */
  async function source(name: string): Promise<string> {
    if (sqlite) return join(peer.dataDirectory, sqliteFile);
    const file = join(peer.dataDirectory, name);
    const body = JSON.stringify({ file });
    const answer = await fetch(`http://127.0.0.1:${httpPort}/api/dump`, { method: 'POST', body });
    expect(answer.status, await answer.text()).to.equal(200);
    return file;
  }

  const logsIn = (name: string, presence: boolean) => logsInAt(server, domain, name, presence);

  it('comes over whole: clients get the same answers before and after', async () => {
    const [juliet, romeo] = [await peer.arrives('juliet'), await peer.arrives('romeo')];
    for (const payload of stored) await stores(juliet, payload);
    const chat = (id: string) =>
      `<message to="juliet@${domain}" type="chat" id="${id}"><body>${id} &amp; more “x”</body></message>`;
    romeo.sends(`${chat('first')}<presence to="juliet@${domain}" type="subscribe"><status>hi</status></presence>`);
    await untilAll(juliet, 'first &amp; more', '<status>hi');
    const before = { juliet: await answersOf(juliet, questions), romeo: await answersOf(romeo, fewer) };
    await juliet.closes();
    romeo.sends(chat('stored'));
    const archive = await archiveOf(romeo);
    expect(archive.messages).to.have.length(2);

    const summary = JSON.parse(await server.ampere('user', 'import', await source('users.txt'), '--json'));
    expect(summary).to.deep.equal({ created: 2, skipped: [], problems: [], losses: [] });

    const again = { juliet: await logsIn('juliet', false), romeo: await logsIn('romeo', false) };
    expect(await answersOf(again.juliet, questions)).to.deep.equal(before.juliet);
    expect(await answersOf(again.romeo, fewer)).to.deep.equal(before.romeo);
    expectMovedIn(await archiveOf(again.romeo), archive);
    again.juliet.sends('<presence/>');
    const arrived = (await untilAll(again.juliet, 'stored &amp; more', 'type="subscribe"')).map(({ name }) => name);
    expect(arrived).to.have.members(['message', 'presence']);
  });

  /** MySQL and PostgreSQL are SQL to ejabberd as SQLite is, and only their databases cannot be read here. */
  if (sqlite)
    it('comes over by export_piefxis without archives and nodes', async () => {
      const directory = join(peer.dataDirectory, 'piefxis');
      await mkdir(directory);
      const body = JSON.stringify({ dir: directory });
      const answer = await fetch(`http://127.0.0.1:${httpPort}/api/export_piefxis`, { method: 'POST', body });
      expect(answer.status, await answer.text()).to.equal(200);
      const [file = ''] = (await readdir(directory)).filter((name) => /^\d+-\d+\.xml$/.test(name));
      const [before, other] = [await peer.connects(), await startServer({ domains: [domain] })];
      try {
        const summary = JSON.parse(await other.ampere('user', 'import', join(directory, file), '--json'));
        expect(summary).to.deep.equal({ created: 2, skipped: [], problems: [], losses: [] });
        await peer.logsIn(before, 'juliet');
        const kept = questions.filter(([payload]) => !payload.startsWith('<pubsub'));
        const after = await logsInAt(other, domain, 'juliet', false);
        expect(await answersOf(after, kept)).to.deep.equal(await answersOf(before, kept));
        expect((await archiveOf(after)).messages).to.deep.equal([]);
        after.sends('<presence/>');
        await untilAll(after, 'stored &amp; more', 'type="subscribe"');
      } finally {
        await other.stop();
      }
    });

  it('comes over with its rooms: their options, affiliations, subjects and archives', async () => {
    const room = `verona@conference.${domain}`;
    const [owner, member] = [await peer.arrives('capulet'), await peer.arrives('montague')];
    await creates(owner, room);
    for (const payload of roomSettings) await stores(owner, payload, room);
    owner.sends(`<message to="${room}" type="groupchat"><subject>The feud &amp; more</subject></message>`);
    await joins(member, room, options.roomsecret);
    await hearEachOther({ room, owner, guest: member }, 'before');
    const before = await roomAnswers(owner, room, optionNames);
    for (const client of [owner, member]) client.sends(`<presence to="${room}/x" type="unavailable"/>`);

    const file = await source('rooms.txt');
    await server.ampere('user', 'import', file);
    const summary = JSON.parse(await server.ampere('room', 'import', file, '--json'));
    expect(summary).to.deep.include({ created: 1, skipped: [], problems: [], losses: [] });

    const again = await logsIn('capulet', true);
    again.sends(
      `<presence to="${room}/owner"><x xmlns="${muc}"><password>${options.roomsecret}</password></x></presence>`,
    );
    await untilLine(again, 'owner: before (late)');
    await untilLine(again, 'owner # The feud & more (late)');
    expect(await roomAnswers(again, room, optionNames)).to.deep.equal(before);
    const config = JSON.parse(await server.ampere('room', 'config', room, '--json'));
    expect(config).to.include({ maxOccupants: '50', allowInvites: 'true', archiving: 'true', moderated: 'false' });
    const repeated = JSON.parse(await server.ampere('room', 'import', file, '--json'));
    expect(repeated).to.deep.include({ created: 0, skipped: [room] });
  });
}
