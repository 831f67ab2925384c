import type Database from 'better-sqlite3';
import type { RosterItem, RosterStore, Subscription } from '../../rosters.ts';
import { asBuffer, ownBytes } from '../bytes.ts';
import { defineFamily } from '../family.ts';
import { noAccount, prepareOwners } from './owners.ts';

/** The number of removed contacts remembered for one account. */
const maxTombstones = 200;

/** A roster item as sent between threads. */
export type PackedRosterItem = Omit<RosterItem, 'pendingIn'> & { readonly pendingIn: Uint8Array | null };

/** A row of `roster_items`. */
export interface ItemRow {
  readonly contact: string;
  readonly name: string;
  readonly groups: string;
  readonly subscription: Subscription;
  readonly ask: number;
  readonly approved: number;
  readonly pending_in: Uint8Array | null;
  readonly in_roster: number;
  readonly version: number;
}

/** The rosters. */
export const rosters = defineFamily({
  name: 'rosters',
  prepare: (db) => ({ reads: prepareReads(db), writes: prepareWrites(db) }),
  adds: ['put'],
  store: ({ run }): RosterStore => ({
    put: (owner, { pendingIn, ...item }) =>
      run('put', owner, { ...item, pendingIn: pendingIn === undefined ? null : ownBytes(pendingIn) }),
    remove: (owner, contact) => run('remove', owner, contact),
    changedSince: async (owner, version) => {
      const changes = await run('changedSince', owner, version);
      return changes && { changed: changes.changed.map(unpackItem), removed: changes.removed };
    },
  }),
});

function prepareReads(db: Database.Database) {
  const account = db.prepare<[string], { id: number; version: number; floor: number }>(
    'SELECT id, roster_version AS version, roster_floor AS floor FROM accounts WHERE jid = ?',
  );
  const changed = db.prepare<[number, number], ItemRow>(
    'SELECT * FROM roster_items WHERE account_id = ? AND version > ? AND in_roster = 1 ORDER BY version',
  );
  const removed = db
    .prepare<[number, number], string>(
      'SELECT contact FROM roster_tombstones WHERE account_id = ? AND version > ? ORDER BY version',
    )
    .pluck();
  return {
    changedSince: (jid: string, version: number): { changed: PackedRosterItem[]; removed: string[] } | undefined => {
      const row = account.get(jid);
      if (row === undefined || version < row.floor || version > row.version) return undefined;
      return { changed: changed.all(row.id, version).map(toItem), removed: removed.all(row.id, version) };
    },
  };
}

function prepareWrites(db: Database.Database) {
  const owners = prepareOwners(db);
  const put = preparePut(db);
  const advance = db
    .prepare<[number, number], number>(
      'UPDATE accounts SET roster_version = roster_version + ? WHERE id = ? RETURNING roster_version',
    )
    .pluck();
  const tombstones = prepareTombstones(db);
  const remove = db.prepare<[number, string]>('DELETE FROM roster_items WHERE account_id = ? AND contact = ?');
  const shown = db
    .prepare<[number, string], number>('SELECT in_roster FROM roster_items WHERE account_id = ? AND contact = ?')
    .pluck();
  return {
    put: (owner: string, item: Omit<PackedRosterItem, 'version'>): number => {
      const id = owners.need(owner);
      const wasShown = shown.get(id, item.contact) === 1;
      const version = advance.get(Number(wasShown || item.inRoster), id) ?? noAccount(owner);
      put(id, item, version);
      if (item.inRoster) tombstones.drop(id, item.contact);
      else if (wasShown) tombstones.add(id, item.contact, version);
      return version;
    },
    remove: (owner: string, contact: string): number => {
      const id = owners.need(owner);
      const wasShown = shown.get(id, contact) === 1;
      const version = advance.get(Number(wasShown), id) ?? noAccount(owner);
      remove.run(id, contact);
      if (wasShown) tombstones.add(id, contact, version);
      return version;
    },
  };
}

function preparePut(db: Database.Database) {
  const put = db.prepare<
    [number, string, string, string, Subscription, number, number, Uint8Array | null, number, number]
  >(`INSERT OR REPLACE INTO roster_items
     (account_id, contact, name, groups, subscription, ask, approved, pending_in, in_roster, version)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return (id: number, item: Omit<PackedRosterItem, 'version'>, version: number): void => {
    const groups = JSON.stringify(item.groups);
    const [ask, approved, inRoster] = [Number(item.ask), Number(item.approved), Number(item.inRoster)];
    put.run(id, item.contact, item.name, groups, item.subscription, ask, approved, item.pendingIn, inRoster, version);
  };
}

function prepareTombstones(db: Database.Database) {
  const add = db.prepare<[number, string, number]>(
    'INSERT OR REPLACE INTO roster_tombstones (account_id, contact, version) VALUES (?, ?, ?)',
  );
  const drop = db.prepare<[number, string]>('DELETE FROM roster_tombstones WHERE account_id = ? AND contact = ?');
  const tooMany = db
    .prepare<[number, number], number>(
      'SELECT version FROM roster_tombstones WHERE account_id = ? ORDER BY version DESC LIMIT 1 OFFSET ?',
    )
    .pluck();
  const dropUntil = db.prepare<[number, number]>('DELETE FROM roster_tombstones WHERE account_id = ? AND version <= ?');
  const setFloor = db.prepare<[number, number]>('UPDATE accounts SET roster_floor = ? WHERE id = ?');
  return {
    drop: (id: number, contact: string): void => void drop.run(id, contact),
    add: (id: number, contact: string, version: number): void => {
      add.run(id, contact, version);
      const floor = tooMany.get(id, maxTombstones);
      if (floor === undefined) return;
      dropUntil.run(id, floor);
      setFloor.run(floor, id);
    },
  };
}

/** Converts a row to the form sent between threads. */
export function toItem(row: ItemRow): PackedRosterItem {
  const groups: string[] = JSON.parse(row.groups);
  const { contact, name, subscription, version } = row;
  const [ask, approved, inRoster] = [row.ask === 1, row.approved === 1, row.in_roster === 1];
  return { contact, name, groups, subscription, ask, approved, pendingIn: row.pending_in, inRoster, version };
}

export function unpackItem({ pendingIn, ...item }: PackedRosterItem): RosterItem {
  return pendingIn === null ? item : { ...item, pendingIn: asBuffer(pendingIn) };
}
