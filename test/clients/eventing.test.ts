import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { ClientProcess } from './client-process.ts';
import { nbxmpp, slixmpp } from './client-programs.ts';

const password = 'correct horse battery staple';
const places = ['urn:xmpp:bookmarks:1', 'storage:bookmarks', 'jabber:iq:private'] as const;
const [native, legacy] = places;

describe('what stock clients keep at their account', () => {
  let server: ServerProcess;

  before(async function () {
    for (const program of [slixmpp, nbxmpp]) {
      const reason = await program.missing();
      if (reason === undefined) continue;
      console.log(`    skipped: ${reason}`);
      this.skip();
    }
    server = await startServer();
    for (const local of ['alice', 'bob']) await server.addUser(`${local}@localhost`, password);
  });

  after(async () => {
    await server?.stop();
  });

  it('bookmarks are the same in the three places where Gajim looks, whoever stores them (XEP-0402 §5.3)', async () => {
    await using first = await ClientProcess.login(slixmpp, server, { jid: 'alice@localhost', password });
    await using second = await ClientProcess.login(nbxmpp, server, { jid: 'alice@localhost', password });
    await using third = await ClientProcess.login(slixmpp, server, { jid: 'alice@localhost', password });
    const [room, other] = ['room@rooms.localhost', 'other@rooms.localhost'];
    first.tell('bookmark', room, 'The Room');
    await first.expect('published', native, room);
    for (const place of places) {
      second.tell('bookmarks', place);
      await second.expect('bookmark', place, room, 'The Room');
      await second.expect('bookmarks-end', place);
    }

    second.tell('wants', native, legacy);
    // From then on the server has the presence, though it may not know yet what the client wants.
    second.tell('message', 'alice@localhost', 'ready');
    await third.expect('message', 'alice@localhost', 'ready');
    for (const [index, place] of places.entries()) {
      const name = `Other ${index}`;
      if (place === native) first.tell('bookmark', other, name);
      else second.tell('store-bookmarks', place, room, 'The Room', other, name);
      await second.expect('bookmark', native, other, name);
      await second.expect('bookmark', legacy, other, name);
      first.tell('items', 'alice@localhost', native);
      await first.expect('item-of', 'alice@localhost', native, other, name);
      await first.expect('items-end', 'alice@localhost', native);
    }
    for (const client of [first, second, third]) await client.quit();
  });

  it('an avatar that slixmpp publishes is seen by a client that knows vCards only (XEP-0398)', async () => {
    await using alice = await ClientProcess.login(slixmpp, server, { jid: 'alice@localhost', password });
    await using bob = await ClientProcess.login(nbxmpp, server, { jid: 'bob@localhost', password });
    for (const [asking, asked, to, from] of [
      [alice, bob, 'bob@localhost', 'alice@localhost'],
      [bob, alice, 'alice@localhost', 'bob@localhost'],
    ] as const) {
      asking.tell('subscribe', to);
      await asked.expect('presence', from, 'subscribe');
      asked.tell('approve', from);
      await asking.expect('push', to);
    }
    const image = 'this is an image';
    const digest = createHash('sha1').update(image).digest('hex');
    alice.tell('avatar', image);
    await bob.expect('avatar', 'alice@localhost', digest);
    bob.tell('photo', 'alice@localhost');
    await bob.expect('photo', 'alice@localhost', digest, digest);
    expect(bob.heard('avatar')).to.have.length(1);
    for (const client of [alice, bob]) await client.quit();
  });
});
