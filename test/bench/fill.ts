import Database from 'better-sqlite3';
import { defaultRoomConfig } from '../../src/protocol/muc/room-config.ts';
import { defaultNodeConfig } from '../../src/protocol/pubsub-config.ts';
import { fsyncPath } from '../../src/storage/sqlite/data-directory.ts';
import { domain } from './accounts.ts';

/** When the first message of a filled archive was sent, and the time between two. */
export const startMs = Date.UTC(2025, 0, 1);
export const stepMs = 1000;
/** How many accounts share the messages that are not the first one's. */
export const otherArchives = 10_000;

/** Rows 0 to @count - 1. */
const series = 'WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < @count - 1)';

/**
 * Opens a database that no server uses, and fills it in one transaction. Its end syncs the file: otherwise the first checkpoint of the
 * server that is measured would write all of this to the disk.
 */
function filled(file: string, fill: (db: Database.Database) => void): void {
  const db = new Database(file);
  db.pragma('synchronous = OFF');
  db.transaction(() => fill(db))();
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  fsyncPath(file);
}

/**
 * Fills the archives as the server would have left them, with everything in the index. Every other message is one of `owner`, by default the
 * first account.
 */
export function fillArchive(file: string, messages: number, owner = 'user0@x.example'): void {
  filled(file, (db) => {
    db.prepare(
      `${series} INSERT INTO accounts (jid, domain, created_at_ms, roster_version, roster_floor)
       SELECT 'user' || i || '@x.example', 'x.example', 1, 1, 1 FROM n`,
    ).run({ count: otherArchives + 1 });
    const first = db.prepare('SELECT coalesce(max(id), 0) + 1 FROM archives').pluck().get();
    db.prepare(
      "INSERT INTO archives (account_id) SELECT id FROM accounts WHERE domain = 'x.example' ORDER BY id",
    ).run();
    const largest = db
      .prepare('SELECT archives.id FROM archives JOIN accounts ON accounts.id = account_id WHERE jid = ?')
      .pluck()
      .get(owner);
    db.prepare(`${series} INSERT INTO archive_peers (jid) SELECT 'peer' || i || '@y.example' FROM n`).run({
      count: 1000,
    });
    db.prepare(
      `${series} INSERT INTO archive_messages (id, recipient_archive, recipient_peer, bytes)
       SELECT (@start + i * @step) * 1024, CASE i % 2 WHEN 0 THEN @largest ELSE @first + 1 + (i * 7919) % @others END, 1 + (i * 31) % 1000,
         CAST('<message from="peer@y.example/x" to="user@x.example" id="m' || i || '" type="chat"><body>' ||
           hex(zeroblob(150)) || '</body></message>' AS BLOB) FROM n`,
    ).run({ count: messages, start: startMs, step: stepMs, others: otherArchives, first, largest });
    db.prepare(
      `INSERT INTO archive_entries (archive, id, peer)
       SELECT recipient_archive, id, recipient_peer FROM archive_messages ORDER BY recipient_archive, id`,
    ).run();
    db.prepare(
      `UPDATE archives SET entries = c FROM (SELECT archive, count(*) AS c FROM archive_entries GROUP BY archive) AS t
       WHERE t.archive = archives.id`,
    ).run();
    db.prepare('UPDATE archive_progress SET indexed_up_to = (SELECT max(id) FROM archive_messages), changes = 1').run();
  });
}

/** Fills in persistent rooms that nobody is in, each with an owner; one in ten is public. */
export function fillRooms(file: string, rooms: number): void {
  const service = `conference.${domain}`;
  const config = JSON.stringify({ ...defaultRoomConfig, name: 'A room' });
  filled(file, (db) => {
    db.prepare(
      `${series} INSERT INTO rooms (address, domain, created_at_ms, config, name, is_public, occupant_key)
       SELECT 'room' || i || '@' || @service, @service, 1, @config, 'A room', i % 10 = 0, randomblob(32) FROM n`,
    ).run({ count: rooms, service, config });
    db.prepare(
      `INSERT INTO room_affiliations (room, jid, affiliation) SELECT id, 'u' || (id % 10000) || '@' || @domain, 'owner' FROM rooms`,
    ).run({ domain });
    db.prepare('INSERT INTO room_archives (room) SELECT id FROM rooms').run();
    db.prepare(
      `INSERT OR REPLACE INTO room_totals (domain, rooms, public_rooms)
       SELECT domain, count(*), sum(is_public) FROM rooms GROUP BY domain`,
    ).run();
  });
}

/** Makes contacts of the account u0: u1 and so on, each with nodes that have an item. */
export function fillNodes(file: string, contacts: number, nodes: number): void {
  const config = JSON.stringify(defaultNodeConfig);
  filled(file, (db) => {
    const item = `INSERT OR REPLACE INTO roster_items (account_id, contact, name, groups, subscription, ask, approved, in_roster, version)`;
    db.prepare(
      `${series} ${item} SELECT (SELECT id FROM accounts WHERE jid = 'u0@' || @domain), 'u' || (i + 1) || '@' || @domain, '', '[]', 'both', 0, 0, 1, 1
       FROM n`,
    ).run({ count: contacts, domain });
    db.prepare(
      `${series} ${item} SELECT id, 'u0@' || @domain, '', '[]', 'both', 0, 0, 1, 1
       FROM n JOIN accounts ON jid = 'u' || (i + 1) || '@' || @domain`,
    ).run({ count: contacts, domain });
    for (let node = 0; node < nodes; node++) {
      db.prepare(
        `${series} INSERT INTO pep_nodes (account_id, name, config, created_at_ms, items, bytes)
         SELECT id, @name, @config, 1, 1, 60 FROM n JOIN accounts ON jid = 'u' || (i + 1) || '@' || @domain`,
      ).run({ count: contacts, domain, name: nodeName(node), config });
    }
    db.prepare(
      `INSERT INTO pep_items (node_id, item, published_at_ms, payload)
       SELECT id, 'current', 1, '<mood xmlns="' || name || '"><happy/><text>today</text></mood>' FROM pep_nodes`,
    ).run();
  });
}

/** The name of a node of {@link fillNodes}. */
export function nodeName(number: number): string {
  return `urn:example:node${number}`;
}
