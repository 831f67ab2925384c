import { createHash } from 'node:crypto';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { nbxmpp } from './client-programs.ts';
import { describeStockClient } from './stock-client.ts';

describeStockClient(nbxmpp);

describe('nbxmpp, the library of Gajim', () => {
  const password = 'correct horse battery staple';
  let server: ServerProcess;

  before(async function () {
    const reason = await nbxmpp.missing();
    if (reason !== undefined) {
      console.log(`    skipped: ${reason}`);
      this.skip();
    }
    server = await startServer({ https: true });
    for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
  });

  after(async () => {
    await server?.stop();
  });

  const login = (local: string) => ClientProcess.login(nbxmpp, server, { jid: `${local}@localhost`, password });

  it('uploads a file that another account reads (XEP-0363)', async () => {
    await using alice = await login('alice');
    await using bob = await login('bob');
    const text = 'Grüße '.repeat(1000).trim();
    alice.tell('upload', 'Grüße.txt', 'text/plain', text);
    const [, url = '', status] = await alice.expect('uploaded');
    if (status !== '201') throw new Error(`the upload was answered with ${status}`);
    bob.tell('fetch', url);
    await bob.expect('fetched', url, '200', text);
    for (const client of [alice, bob]) await client.quit();
  });

  it('publishes an avatar of which a contact is told, and which it fetches (XEP-0084)', async () => {
    await using alice = await login('alice');
    await using bob = await login('bob');
    bob.tell('subscribe', 'alice@localhost');
    await alice.expect('presence', 'bob@localhost', 'subscribe');
    alice.tell('approve', 'bob@localhost');
    await bob.expect('push', 'alice@localhost', 'to');
    bob.tell('wants', 'urn:xmpp:avatar:metadata');
    const image = 'this is an image';
    const digest = createHash('sha1').update(image).digest('hex');
    alice.tell('publish-avatar', image);
    await alice.expect('avatar-published');
    await bob.expect('avatar-news', 'alice@localhost', digest);
    bob.tell('fetch-avatar', 'alice@localhost', digest);
    await bob.expect('avatar-data', 'alice@localhost', digest);
    for (const client of [alice, bob]) await client.quit();
  });
});
