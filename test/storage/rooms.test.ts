import Database from 'better-sqlite3';
import { expect } from 'chai';
import { ManualClock } from '../support/manual-clock.ts';
import { tidyRooms } from './contract-rooms.ts';
import { TestDirectory } from './test-directory.ts';

describe('rooms in SQLite', () => {
  const directory = new TestDirectory();

  /** The plan of a query on a new database. */
  async function plan(query: string): Promise<string[]> {
    await (await directory.open()).close();
    const db = new Database(directory.path('ampere.db'), { readonly: true });
    const details = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${query}`).all();
    db.close();
    return details.map(({ detail }) => detail);
  }

  const plans: readonly [what: string, query: string, plan: string][] = [
    [
      'the messages of a room',
      'SELECT bytes FROM room_messages WHERE room = 1 AND id > 2 AND id < 9e999 ORDER BY id DESC LIMIT 50',
      'SEARCH room_messages USING INDEX room_messages_by_room (room=? AND rowid>? AND rowid<?)',
    ],
    [
      'old messages',
      'SELECT id FROM room_messages WHERE id < 5 ORDER BY id LIMIT 250',
      'SEARCH room_messages USING INTEGER PRIMARY KEY (rowid<?)',
    ],
    [
      'public rooms',
      "SELECT address, name FROM rooms WHERE is_public = 1 AND domain = 'x' AND address > 'a' ORDER BY address LIMIT 50",
      'SEARCH rooms USING COVERING INDEX public_rooms (domain=? AND address>?)',
    ],
    [
      'the rooms of an owner',
      "SELECT count(*) FROM room_affiliations WHERE jid = 'a' AND affiliation = 'owner'",
      'SEARCH room_affiliations USING COVERING INDEX room_affiliations_by_jid (jid=? AND affiliation=?)',
    ],
    [
      'abandoned messages',
      'SELECT room FROM room_archives WHERE abandoned = 1 LIMIT 1',
      'SCAN room_archives USING COVERING INDEX abandoned_rooms',
    ],
  ];
  for (const [what, query, expected] of plans) {
    it(`finds ${what} by an index`, async () => {
      expect(await plan(query)).to.deep.equal([expected]);
    });
  }

  it('gives larger ids of messages after a restart, whatever was removed', async () => {
    const storage = await directory.open();
    const base = { createdAtMs: 0, config: '{}', occupantKey: Buffer.alloc(32), affiliations: [] };
    const room = await storage.rooms.create({ ...base, address: 'a@r.example' }, { name: '', isPublic: false });
    const id = storage.rooms.newMessageId() + 1e9;
    await storage.rooms.append({ room, id, bytes: Buffer.from('x'), author: 'a@x.example/1', occupantId: 'o' });
    await storage.rooms.tidy({ removeBeforeId: id + 1, maxMessages: 1 });
    await storage.close();
    const again = await directory.open();
    expect(await again.rooms.bounds(room)).to.equal(undefined);
    expect(again.rooms.newMessageId()).to.be.greaterThan(id);
  });

  it('gives an import up that has not ended within a week, with its messages', async () => {
    const clock = new ManualClock();
    const storage = await directory.open({ clock });
    const content = '{}';
    const tidied = async () => {
      await tidyRooms(storage.rooms);
      return storage.rooms.bounds(number);
    };
    const number = await storage.rooms.beginImport({ address: 'a@r.example', content });
    const id = storage.rooms.newMessageId();
    await storage.rooms.append({ room: number, id, bytes: Buffer.from('x'), author: 'a@x.example', occupantId: 'o' });
    clock.advance(6 * 24 * 3600 * 1000);
    expect(await tidied()).to.deep.equal([id, id]);
    clock.advance(2 * 24 * 3600 * 1000);
    expect(await tidied()).to.equal(undefined);
    expect(await storage.rooms.findImport(number)).to.equal(undefined);
  });
});
