import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { needsPackages } from '../peers/needs-packages.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { type ClientProgram, nbxmpp, slixmpp, succeeds } from './client-programs.ts';
import { Dino } from './dino.ts';

const password = 'correct horse battery staple';
const domain = 'verona.example';
const alice = `alice@${domain}`;
const bob = `bob@${domain}`;
const carol = `carol@${domain}`;

/** Messages of its database with somebody, received or sent. */
const messages = 'SELECT 1 FROM message JOIN jid ON jid.id = counterpart_id WHERE bare_jid = ? AND body = ?';
const received = `${messages} AND NOT direction`;
const sent = `${messages} AND direction`;
const avatars = 'SELECT 1 FROM contact_avatar JOIN jid ON jid.id = jid_id WHERE bare_jid = ? AND hash = ?';
const keys = 'eu.siacs.conversations.axolotl.devicelist';
/** A part of the archive that it has read to its end. */
const history = 'SELECT 1 FROM mam_catchup WHERE server_jid = ? AND from_end';

describe('Dino, a stock client with windows', () => {
  needsPackages(['dino-im', 'xvfb', 'xdotool', 'dbus-daemon', 'python3-nbxmpp', 'python3-slixmpp']);

  const image = 'this is an image';
  let server: ServerProcess;
  let friend: ClientProcess;
  let other: ClientProcess;
  let dino: Dino | undefined;

  const login = (jid: string, program: ClientProgram) => ClientProcess.login(program, server, { jid, password });

  before(async function () {
    if (!(await succeeds('unshare', ['--mount', 'true']))) {
      console.log('    skipped: only root can give Dino a name server and an authority of its own');
      this.skip();
    }
    server = await startServer({ domains: [domain], https: true, settings: { archive: { enabled: true } } });
    for (const jid of [alice, bob, carol]) await server.addUser(jid, password);
    friend = await login(bob, nbxmpp);
    other = await login(alice, slixmpp);
    other.tell('message', carol, 'before it came');
    other.tell('subscribe', bob);
    await friend.expect('presence', alice, 'subscribe');
    friend.tell('approve', alice);
    await other.expect('push', bob, 'to');
    friend.tell('publish-avatar', image);
    await friend.expect('avatar-published');
    other.tell('wants', keys);
    dino = await Dino.start(server, alice, password);
  });

  after(async () => {
    for (const one of [dino, friend, other]) await one?.[Symbol.asyncDispose]();
    await server?.stop();
  });

  it('finds the server by DNS, verifies it, and chats with nbxmpp, both ways', async () => {
    await dino?.writes(bob, 'But soft');
    await friend.expect('message', alice, 'But soft');
    friend.tell('message', alice, 'Grüße aus Verona');
    await dino?.knows('message', received, bob, 'Grüße aus Verona');
  });

  it('reads the archive to its end (XEP-0313)', async () => {
    await dino?.knows('message of the archive', sent, carol, 'before it came');
    await dino?.knows('end of the archive', history, alice);
  });

  it('sees what another client of the account says and hears (XEP-0280)', async () => {
    other.tell('message', bob, 'said elsewhere');
    const [, from = ''] = await friend.expect('message', alice, 'said elsewhere');
    await dino?.knows('carbon', sent, bob, 'said elsewhere');
    friend.tell('message', from, 'heard elsewhere');
    await dino?.knows('carbon', received, bob, 'heard elsewhere');
  });

  it('publishes its keys, and is told of the avatar of a contact (XEP-0163, XEP-0384, XEP-0084)', async () => {
    await other.expect('item-of', alice, keys);
    await dino?.knows('avatar', avatars, bob, createHash('sha1').update(image).digest('hex'));
  });

  it('turns away from a certificate it cannot verify', async () => {
    await dino?.[Symbol.asyncDispose]();
    dino = undefined;
    const directory = await mkdtemp(join(tmpdir(), 'ampere-strangers-'));
    const caFile = join(directory, 'ca.pem');
    await writeFile(caFile, rootCertificates.slice(0, 3).join('\n'));
    await using stranger = await Dino.start(server, alice, password, caFile);
    await stranger.says(`Could not establish XMPP session with ${domain}:${server.place.ports.direct}`);
    await rm(directory, { recursive: true });
  });
});
