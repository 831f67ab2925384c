import { expect } from 'chai';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { hasAiohttp, slixmpp } from './client-programs.ts';
import { describeStockClient } from './stock-client.ts';

const password = 'correct horse battery staple';
const bookmarks = 'urn:xmpp:bookmarks:1';

describeStockClient(slixmpp, definesEventing);

describe('slixmpp and uploads (XEP-0363)', () => {
  it('finds the service, uploads a file, and another user reads it', async function () {
    if ((await slixmpp.missing()) !== undefined || !(await hasAiohttp())) return this.skip();
    const server = await startServer({ https: true });
    try {
      for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
      const login = (local: string) => ClientProcess.login(slixmpp, server, { jid: `${local}@localhost`, password });
      await using alice = await login('alice');
      await using bob = await login('bob');
      alice.tell('upload', 'Grüße & <Küsse>.txt', 'a file for Bob');
      const [, url = ''] = await alice.expect('uploaded');
      alice.tell('message', 'bob@localhost', url);
      const [, , body = ''] = await bob.expect('message', 'alice@localhost', url);
      bob.tell('download', body);
      await bob.expect('downloaded', '200', 'application/octet-stream', 'a file for Bob');
      for (const client of [alice, bob]) await client.quit();
    } finally {
      await server.stop();
    }
  });
});

function definesEventing(server: () => ServerProcess): void {
  it('publishes to contacts, to the own devices, and to strangers what is open to them (XEP-0163)', async () => {
    const login = (local: string) => ClientProcess.login(slixmpp, server(), { jid: `${local}@localhost`, password });
    await using dave = await login('dave');
    await using carol = await login('carol');
    // They became contacts when they kept their rosters.
    await dave.expect('presence', 'carol@localhost', 'available');

    carol.tell('publish', 'urn:example:tune', 'current', 'Introduction', 'presence', '1');
    await carol.expect('published', 'urn:example:tune', 'current');
    dave.tell('wants', 'urn:example:tune');
    await dave.expect('item-of', 'carol@localhost', 'urn:example:tune', 'current', 'Introduction');
    carol.tell('publish', 'urn:example:tune', 'current', 'Finale', 'presence', '1');
    await dave.expect('item-of', 'carol@localhost', 'urn:example:tune', 'current', 'Finale');

    await using phone = await login('carol');
    phone.tell('wants', bookmarks);
    phone.tell('wants', 'urn:example:tune');
    // The last item shows that the server knows what the phone wants; bookmarks have no last item.
    await phone.expect('item-of', 'carol@localhost', 'urn:example:tune', 'current', 'Finale');
    carol.tell('publish', bookmarks, 'room@rooms.localhost', 'The Room', 'whitelist', 'max');
    await phone.expect('item-of', 'carol@localhost', bookmarks, 'room@rooms.localhost', 'The Room');
    dave.tell('items', 'carol@localhost', bookmarks);
    await dave.expect('no-items', 'carol@localhost', bookmarks, 'not-allowed');
    phone.tell('publish', bookmarks, 'other@rooms.localhost', 'Other', 'presence', 'max');
    await phone.expect('not-published', bookmarks, 'conflict');

    const keys = 'eu.siacs.conversations.axolotl.devicelist';
    carol.tell('publish', keys, 'current', 'keys', 'open', '1');
    await carol.expect('published', keys, 'current');
    await using alice = await login('alice');
    alice.tell('items', 'carol@localhost', keys);
    await alice.expect('item-of', 'carol@localhost', keys, 'current', 'keys');
    alice.tell('items', 'carol@localhost', 'urn:example:tune');
    await alice.expect('no-items', 'carol@localhost', 'urn:example:tune', 'service-unavailable');
    expect(dave.heard('item-of')).to.have.length(2);
    for (const client of [alice, dave, carol, phone]) await client.quit();
  });
}
