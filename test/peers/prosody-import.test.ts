import { expect } from 'chai';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { creates, hearEachOther, joins, untilLine } from '../support/shares-rooms.ts';
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
import { prosodyWith } from './prosody.ts';

const domain = 'prosody.example';
const modules = ['mam', 'pep', 'private', 'blocklist', 'vcard_legacy'];
const pubsub = 'http://jabber.org/protocol/pubsub';
const open = form(`${pubsub}#publish-options`, { 'pubsub#access_model': 'open' });

/** What Juliet stores. */
const stored = [
  '<query xmlns="jabber:iq:roster"><item jid="nurse@prosody.example" name="N &amp; ü"><group>Servants</group></item></query>',
  '<query xmlns="jabber:iq:private"><storage xmlns="urn:example:notes"><note>“hark” &lt;</note></storage></query>',
  '<block xmlns="urn:xmpp:blocking"><item jid="tybalt@prosody.example"/></block>',
  `<pubsub xmlns="${pubsub}"><publish node="urn:example:mood"><item id="one"><mood xmlns="urn:example:mood">hé</mood></item></publish>` +
    `<publish-options>${open}</publish-options></pubsub>`,
  '<vCard xmlns="vcard-temp"><FN>Juliet</FN><EMAIL><HOME/><USERID>juliet@capulet.example</USERID></EMAIL></vCard>',
];

const questions: readonly Question[] = [
  ['<query xmlns="jabber:iq:roster"/>', 'query'],
  ['<query xmlns="jabber:iq:private"><storage xmlns="urn:example:notes"/></query>', 'query'],
  ['<blocklist xmlns="urn:xmpp:blocking"/>', 'blocklist'],
  [`<pubsub xmlns="${pubsub}"><items node="urn:example:mood"/></pubsub>`, 'pubsub'],
  [`<pubsub xmlns="${pubsub}"><items node="urn:xmpp:vcard4"/></pubsub>`, 'pubsub'],
];

const muc = 'http://jabber.org/protocol/muc';
const options = {
  persistentroom: '1',
  roomname: 'Verona',
  roomdesc: 'Two houses',
  moderatedroom: '1',
  publicroom: '0',
  whois: 'anyone',
};
const optionNames = new Set(Object.keys(options));

/** What the owner of the room sets: its options, and the affiliations of others. */
const roomSettings = [
  `<query xmlns="${muc}#owner">${form(
    `${muc}#roomconfig`,
    Object.fromEntries(Object.entries(options).map(([name, value]) => [`muc#roomconfig_${name}`, value])),
  )}</query>`,
  `<query xmlns="${muc}#admin"><item jid="montague@${domain}" affiliation="admin"/></query>`,
  `<query xmlns="${muc}#admin"><item jid="tybalt@${domain}" affiliation="outcast"/></query>`,
];

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

  const logsIn = (name: string, presence: boolean) => logsInAt(server, domain, name, presence);

  it('comes over whole: clients get the same answers before and after', async () => {
    const [juliet, romeo] = [await peer.arrives('juliet'), await peer.arrives('romeo')];
    for (const payload of stored) await stores(juliet, payload);
    const chat = (id: string) =>
      `<message to="juliet@${domain}" type="chat" id="${id}"><body>${id} &amp; more</body></message>`;
    romeo.sends(`${chat('first')}<presence to="juliet@${domain}" type="subscribe"/>`);
    const before = { juliet: await answersOf(juliet, questions), romeo: await answersOf(romeo, questions) };
    await juliet.closes();
    romeo.sends(chat('stored'));
    const archive = await archiveOf(romeo);
    expect(archive.messages).to.have.length(2);

    const summary = JSON.parse(await server.ampere('user', 'import', peer.dataDirectory, '--json'));
    expect(summary).to.deep.equal({ created: 2, skipped: [], problems: [], losses: [] });

    const again = { juliet: await logsIn('juliet', false), romeo: await logsIn('romeo', false) };
    expect(await answersOf(again.juliet, questions)).to.deep.equal(before.juliet);
    expect(await answersOf(again.romeo, questions)).to.deep.equal(before.romeo);
    // Prosody has made a vCard4 of it.
    const [card] = await answersOf(again.juliet, [['<vCard xmlns="vcard-temp"/>', 'vCard']]);
    expect(card).to.match(/Juliet.*<HOME .*juliet@capulet\.example/);
    expectMovedIn(await archiveOf(again.romeo), archive);
    again.juliet.sends('<presence/>');
    const arrived = (await untilAll(again.juliet, 'stored &amp; more', 'type="subscribe"')).map(({ name }) => name);
    expect(arrived).to.have.members(['message', 'presence']);
  });

  it('comes over with its rooms: their options, affiliations, subjects and archives', async () => {
    const room = `verona@conference.${domain}`;
    const [owner, member] = [await peer.arrives('capulet'), await peer.arrives('montague')];
    await creates(owner, room);
    for (const payload of roomSettings) await stores(owner, payload, room);
    owner.sends(`<message to="${room}" type="groupchat"><subject>The feud &amp; more</subject></message>`);
    await joins(member, room);
    await hearEachOther({ room, owner, guest: member }, 'before');
    const before = await roomAnswers(owner, room, optionNames);
    for (const client of [owner, member]) client.sends(`<presence to="${room}/x" type="unavailable"/>`);

    await server.ampere('user', 'import', peer.dataDirectory);
    const summary = JSON.parse(await server.ampere('room', 'import', peer.dataDirectory, '--json'));
    expect(summary).to.deep.include({ created: 1, skipped: [], problems: [] });

    const again = await logsIn('capulet', true);
    again.sends(`<presence to="${room}/owner"><x xmlns="http://jabber.org/protocol/muc"/></presence>`);
    await untilLine(again, 'owner: before (late)');
    await untilLine(again, 'owner # The feud & more (late)');
    expect(await roomAnswers(again, room, optionNames)).to.deep.equal(before);
    const repeated = JSON.parse(await server.ampere('room', 'import', peer.dataDirectory, '--json'));
    expect(repeated).to.deep.include({ created: 0, skipped: [room] });
  });
});
