import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect } from 'chai';
import { type HeardMessage, RoomClient } from './room-client.ts';
import { SeededRandom } from './seeded-random.ts';
import { ServerFixture } from './server-under-test.ts';

const rounds = 2;
const room = 'verona@conference.localhost';
/** How many messages of one writer are on their way at once. */
const window = 4;
const writers = ['sampson', 'gregory', 'abraham', 'balthasar', 'tybalt'];
const readers = Array.from({ length: 200 }, (_, number) => `citizen${number}`);
/** How many clients connect at the same time. */
const crowd = 25;

/** Talks until the connection is lost. */
async function talks(client: RoomClient, heard: () => void): Promise<void> {
  do {
    while (client.unheard < window) client.says();
    heard();
  } while (await client.reads());
}

/** Connects clients, some at a time. */
async function connectAll(clients: readonly RoomClient[], port: number): Promise<void> {
  for (let at = 0; at < clients.length; at += crowd)
    await Promise.all(clients.slice(at, at + crowd).map((client) => client.connects(port)));
}

async function readsToTheEnd(client: RoomClient): Promise<void> {
  while (await client.reads());
}

/** The messages in the archive, in their order. */
function archivedIn(file: string): HeardMessage[] {
  const db = new Database(file, { readonly: true });
  const rows = db.prepare<[], Buffer>('SELECT bytes FROM room_messages ORDER BY id').pluck().all();
  db.close();
  return rows.map((bytes) => {
    const text = bytes.toString();
    const [id, body] = [/<stanza-id [^>]*id=.([^"']+)/.exec(text)?.[1], /<body>(.*)<.body>/.exec(text)?.[1]];
    if (id === undefined || body === undefined) throw new Error(`not a message: ${text}`);
    return { id, body };
  });
}

describe('a server that is killed while people talk in a room (XEP-0045)', function () {
  this.timeout(300_000);
  const fixture = new ServerFixture();
  const names = [...writers, ...readers, 'prince', 'ghost'];
  // A session that holds more than this ends; the client that stalls must be able to come back.
  const settings = { rooms: { enabled: true }, streamManagement: { maxStanzas: 10_000 } };

  it('shows everybody the same messages in one order, and nobody drops out silently', async () => {
    const random = new SeededRandom();
    const talkers = writers.map((name) => new RoomClient(name, room));
    const listeners = readers.map((name) => new RoomClient(name, room));
    const stalled = new RoomClient('prince', room);
    const all = [...talkers, ...listeners, stalled];
    // Cannot come back, so it must be out of the room for everybody.
    const ghost = new RoomClient('ghost', room, false);
    for (let round = 0; round < rounds; round++) {
      const server = await fixture.start(names, { settings });
      // The first one opens the room for the others.
      await connectAll(all.slice(0, 1), server.port);
      await connectAll(all.slice(1), server.port);
      if (round === 0) await ghost.connects(server.port);
      stalled.stopsReading();
      // In all rounds together fewer messages than a client may miss: the one that stalls confirms none.
      let left = random.between(200, 1000);
      const heard = () => {
        left -= 1;
        if (left === 0) server.kill();
      };
      await Promise.all([...talkers.map((one) => talks(one, heard)), ...listeners.map(readsToTheEnd)]);
      for (const client of [stalled, ghost]) client.disconnects();
      expect(await server.end()).to.equal(null);
    }
    const server = await fixture.start(names, { settings });
    await connectAll(all, server.port);
    while (all.some(({ unheard }) => unheard > 0)) for (const one of all) await one.readsAll();
    for (const client of all) await client.readsAll();
    await server.stop();
    const archived = archivedIn(join(fixture.dataDir, 'ampere.db'));
    for (const client of all) {
      if (client !== stalled) expect([...client.everPresent], `whom ${client.name} has seen`).to.include('ghost');
      expect(client.removals, `removals of ${client.name}`).to.equal(0);
      expect([...client.present].sort(), `who is here for ${client.name}`).to.deep.equal(
        all.map((one) => one.name).sort(),
      );
      expect(client.heard, `what ${client.name} has heard`).to.deep.equal(archived.slice(-client.heard.length));
      expect(archived.length - client.heard.length, `what ${client.name} has missed`).to.be.below(
        window * writers.length,
      );
    }
    const repeated = all.reduce((sum, one) => sum + one.repeated, 0);
    console.log(`      ${rounds} kills, seed ${random.seed}: ${all[0]?.heard.length} messages, ${repeated} repeated`);
  });
});
