import type Database from 'better-sqlite3';
import { ArchiveIndex } from './archive-index.ts';
import { type UnpackedMessage, unpackMessages } from './packed-messages.ts';
import { Peers } from './peers.ts';
import { prepareRemoveEntry } from './removals.ts';

/** Entries that move into the table with a group of messages: more than come with it, so that the table catches up. */
const movedWithGroup = 500;
const movedPerMessage = 4;

/** The archives of a database, also for the families that change them in transactions of their own. */
export interface ArchiveTables {
  readonly index: ArchiveIndex;
  readonly peers: Peers;
  /** Adds packed messages. */
  append(packed: Uint8Array, count: number): void;
  /** Adds a packed message for its sender only, if its sender has an archive. */
  appendForSender(packed: Uint8Array): void;
  remove(archive: number, id: number): void;
  /** Removes a message from the archive of an account. */
  removeOf(account: number, id: number): void;
}

const prepared = new WeakMap<Database.Database, ArchiveTables>();

/** The archives of a database. All callers get the same ones, because what they remember must include every change. */
export function archiveTables(db: Database.Database): ArchiveTables {
  const known = prepared.get(db);
  if (known) return known;
  const tables = prepareTables(db);
  prepared.set(db, tables);
  return tables;
}

function prepareTables(db: Database.Database): ArchiveTables {
  const peers = new Peers(db);
  const index = new ArchiveIndex(db, peers);
  const add = prepareAdd(db, index, peers);
  const removeEntry = prepareRemoveEntry(db, index);
  const archiveOf = db.prepare<[number], number>('SELECT id FROM archives WHERE account_id = ?').pluck();
  const append = (messages: Iterable<UnpackedMessage>, count: number): void => {
    index.refresh();
    for (const message of messages) add(message);
    index.advance(Math.max(movedWithGroup, movedPerMessage * count));
    index.changed();
  };
  const remove = (archive: number, id: number): void => {
    index.refresh();
    removeEntry(archive, id);
    index.changed();
  };
  return {
    index,
    peers,
    append: (packed, count) => append(unpackMessages(packed, count), count),
    appendForSender: (packed) => {
      for (const message of unpackMessages(packed, 1))
        if (message.senderArchive > 0) append([{ ...message, recipientArchive: 0 }], 1);
    },
    remove,
    removeOf: (account, id) => {
      const archive = archiveOf.get(account);
      if (archive !== undefined) remove(archive, id);
    },
  };
}

function prepareAdd(db: Database.Database, index: ArchiveIndex, peers: Peers) {
  const insert = db.prepare<[number, number | null, number | null, number | null, number | null, Uint8Array]>(
    `INSERT INTO archive_messages (id, sender_archive, sender_peer, recipient_archive, recipient_peer, bytes)
     VALUES (?, ?, ?, ?, ?, ?)`,
  );
  return ({ id, bytes, ...ends }: UnpackedMessage): void => {
    const [senderArchive, recipientArchive] = [ends.senderArchive || null, ends.recipientArchive || null];
    const senderPeer = senderArchive && peers.need(ends.senderPeer);
    const recipientPeer = recipientArchive && peers.need(ends.recipientPeer);
    insert.run(id, senderArchive, senderPeer, recipientArchive, recipientPeer, bytes);
    index.add({ id, senderArchive, senderPeer, recipientArchive, recipientPeer });
  };
}
