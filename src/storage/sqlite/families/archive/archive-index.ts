import type Database from 'better-sqlite3';
import type { Peers } from './peers.ts';
import { RecentEntries } from './recent-entries.ts';

/** Which entries of an archive are meant; `peer` is the number of a JID. */
interface EntryRange {
  readonly afterId: number;
  readonly beforeId: number;
  readonly peer?: number | undefined;
}

/** The ends of a message as its row has them. */
interface MessageEnds {
  readonly id: number;
  readonly senderArchive: number | null;
  readonly senderPeer: number | null;
  readonly recipientArchive: number | null;
  readonly recipientPeer: number | null;
}

/** Entries on their way from memory into the table, archive by archive. */
interface Move {
  readonly archives: readonly number[];
  readonly upTo: number;
  /** The place in `archives`, and the last id of that archive that has been moved. */
  place: number;
  afterId: number;
}

/** Messages in memory at which the next ones begin to move. */
const movedAt = 16_384;

/**
 * Which messages are in which archive. On a busy server a new entry lies in a page that no other new entry shares, and
 * writing that page would cost as much as all else about the message. So the latest entries are in memory; after a start they are read
 * from the latest messages. They move into the table many at a time, in the order of the table.
 *
 * Memory must say the same as the database, also if a transaction is undone. So each operation begins with {@link refresh}, and each
 * one that changes something calls {@link changed}.
 */
export class ArchiveIndex {
  readonly #recent = new RecentEntries();
  readonly #sql;
  readonly #peers: Pick<Peers, 'forget'>;
  #changes = -1;
  #indexedUpTo = 0;
  #lastId = 0;
  /** Messages in memory that are not about to move. */
  #waiting = 0;
  #move: Move | undefined;

  /** `peers` also remembers what the database says. */
  constructor(db: Database.Database, peers: Pick<Peers, 'forget'>) {
    this.#sql = prepareIndex(db);
    this.#peers = peers;
  }

  /** Reads memory anew if it is not what the database says. */
  refresh(): void {
    const { changes, indexedUpTo } = this.#sql.progress.get() ?? { changes: 0, indexedUpTo: 0 };
    if (changes === this.#changes) return;
    this.#peers.forget();
    this.#recent.clear();
    this.#move = undefined;
    [this.#changes, this.#indexedUpTo, this.#lastId, this.#waiting] = [changes, indexedUpTo, indexedUpTo, 0];
    for (const ends of this.#sql.messagesAfter.iterate(indexedUpTo)) this.#remember(ends);
  }

  /** Notes that the operation changes something. */
  changed(): void {
    this.#sql.setProgress.run(this.#indexedUpTo, ++this.#changes);
  }

  /** Adds a message, which must have the largest id. */
  add(ends: MessageEnds): void {
    this.#remember(ends);
  }

  #remember({ id, senderArchive, senderPeer, recipientArchive, recipientPeer }: MessageEnds): void {
    if (senderArchive !== null) this.#recent.add(senderArchive, id, senderPeer ?? 0);
    if (recipientArchive !== null) this.#recent.add(recipientArchive, id, recipientPeer ?? 0);
    this.#lastId = id;
    this.#waiting++;
  }

  has(archive: number, id: number): boolean {
    return this.#recent.has(archive, id) || this.#sql.has.get(archive, id) !== undefined;
  }

  /** Whether a removed entry would come back from the row of its message. */
  isRecent(id: number): boolean {
    return id > this.#indexedUpTo;
  }

  remove(archive: number, id: number): void {
    this.#recent.remove(archive, id);
    if (this.#sql.remove.run(archive, id).changes > 0) this.#sql.count.run(-1, archive);
  }

  /** The ids of a range, ascending: the first ones or the last ones. */
  ids(archive: number, range: EntryRange, limit: number, which: 'first' | 'last'): number[] {
    const table = this.#inTable(range);
    if (which === 'first') {
      const ids = this.#sql.first(archive, table, limit);
      return ids.concat(this.#inMemory(archive, range, limit - ids.length, 'first'));
    }
    const latest = this.#inMemory(archive, range, limit, 'last').reverse();
    return this.#sql
      .last(archive, table, limit - latest.length)
      .reverse()
      .concat(latest);
  }

  /** How many entries a range has, at most `most`. Those of a whole archive are counted already. */
  count(archive: number, range: EntryRange, most: number): number {
    const { afterId, beforeId, peer } = range;
    if (peer === undefined && afterId <= 0 && beforeId === Number.POSITIVE_INFINITY)
      return Math.min(this.#countAll(archive), most);
    const indexed = this.#sql.countIn(archive, this.#inTable(range), most);
    return indexed + this.#inMemory(archive, range, most - indexed, 'first').length;
  }

  /** Entries that have moved may still be in memory, too. */
  #countAll(archive: number): number {
    const [afterId, beforeId] = [this.#indexedUpTo, Number.POSITIVE_INFINITY];
    const inTable = this.#sql.entriesOf.get(archive) ?? 0;
    const inBoth = this.#sql.countIn(archive, { afterId, beforeId }, Number.MAX_SAFE_INTEGER);
    return inTable - inBoth + this.#recent.count(archive, afterId, beforeId);
  }

  #inTable(range: EntryRange): EntryRange {
    return { ...range, beforeId: Math.min(range.beforeId, this.#indexedUpTo + 1) };
  }

  #inMemory(
    archive: number,
    { afterId, beforeId, peer }: EntryRange,
    limit: number,
    which: 'first' | 'last',
  ): number[] {
    const from = Math.max(afterId, this.#indexedUpTo);
    const entries =
      which === 'first'
        ? this.#recent.forwards(archive, from, beforeId)
        : this.#recent.backwards(archive, from, beforeId);
    const ids: number[] = [];
    if (limit <= 0) return ids;
    for (const entry of entries) {
      if (peer !== undefined && entry.peer !== peer) continue;
      if (ids.push(entry.id) === limit) break;
    }
    return ids;
  }

  /** Moves entries into the table if enough of them wait. */
  advance(atMost: number): void {
    if (this.#move === undefined && this.#waiting >= movedAt) this.#begin();
    if (this.#move) this.#moveSome(this.#move, atMost);
  }

  /** Moves entries with ids up to `id` and some more; true if not all of them have moved. */
  advanceTo(id: number, atMost: number): boolean {
    if (this.#move === undefined && this.#indexedUpTo < Math.min(id, this.#lastId)) this.#begin();
    if (this.#move) this.#moveSome(this.#move, atMost);
    return this.#indexedUpTo < Math.min(id, this.#lastId);
  }

  /**
   * Adds a message at its place among older ones. All messages before `bound`, which is larger than its id, must have moved already
   * ({@link advanceTo}).
   */
  insert(archive: number, id: number, peer: number, bound: number): void {
    this.#indexedUpTo = Math.max(this.#indexedUpTo, bound - 1);
    this.#sql.add.run(archive, id, peer);
    this.#sql.count.run(1, archive);
  }

  #begin(): void {
    this.#move = { archives: this.#recent.archives, upTo: this.#lastId, place: 0, afterId: 0 };
    this.#waiting = 0;
  }

  #moveSome(move: Move, atMost: number): void {
    let left = atMost;
    while (move.place < move.archives.length && left > 0) {
      const archive = move.archives[move.place]!;
      const moved = this.#moveEntries(archive, move, left);
      left -= moved;
      // Fewer than there was room for: the archive has no more.
      if (left > 0) [move.place, move.afterId] = [move.place + 1, 0];
    }
    if (left <= 0) return;
    this.#indexedUpTo = move.upTo;
    this.#recent.removeUpTo(move.upTo);
    this.#move = undefined;
  }

  #moveEntries(archive: number, move: Move, atMost: number): number {
    let [moved, added] = [0, 0];
    for (const { id, peer } of this.#recent.forwards(archive, move.afterId, move.upTo + 1)) {
      if (moved === atMost) break;
      added += this.#sql.add.run(archive, id, peer).changes;
      move.afterId = id;
      moved++;
    }
    if (added > 0) this.#sql.count.run(added, archive);
    return moved;
  }
}

function prepareIndex(db: Database.Database) {
  return {
    ...prepareRanges(db),
    progress: db.prepare<[], { changes: number; indexedUpTo: number }>(
      'SELECT changes, indexed_up_to AS indexedUpTo FROM archive_progress',
    ),
    setProgress: db.prepare<[number, number]>('UPDATE archive_progress SET indexed_up_to = ?, changes = ?'),
    messagesAfter: db.prepare<[number], MessageEnds>(
      `SELECT id, sender_archive AS senderArchive, sender_peer AS senderPeer, recipient_archive AS recipientArchive,
         recipient_peer AS recipientPeer
       FROM archive_messages WHERE id > ? ORDER BY id`,
    ),
    has: db.prepare<[number, number]>('SELECT 1 FROM archive_entries WHERE archive = ? AND id = ?'),
    // An entry may be there already: it had moved when the server ended, and not all others had.
    add: db.prepare<[number, number, number]>(
      'INSERT OR IGNORE INTO archive_entries (archive, id, peer) VALUES (?, ?, ?)',
    ),
    remove: db.prepare<[number, number]>('DELETE FROM archive_entries WHERE archive = ? AND id = ?'),
    entriesOf: db.prepare<[number], number>('SELECT entries FROM archives WHERE id = ?').pluck(),
    count: db.prepare<[number, number]>('UPDATE archives SET entries = entries + ? WHERE id = ?'),
  };
}

/** The look-ups of ids in the table, for all peers or one. */
function prepareRanges(db: Database.Database) {
  const select = (condition: string, order: string) =>
    `SELECT id FROM archive_entries WHERE archive = @archive AND id > @afterId AND id < @beforeId ${condition} ${order} LIMIT @limit`;
  const prepare = (order: string, of: (query: string) => string = (query) => query) => {
    const any = db.prepare<[object], number>(of(select('', order))).pluck();
    const ofPeer = db.prepare<[object], number>(of(select('AND peer = @peer', order))).pluck();
    return ({ peer }: EntryRange) => (peer === undefined ? any : ofPeer);
  };
  const [first, last] = [prepare('ORDER BY id'), prepare('ORDER BY id DESC')];
  const counting = prepare('', (query) => `SELECT count(*) FROM (${query})`);
  return {
    first: (archive: number, range: EntryRange, limit: number): number[] =>
      first(range).all({ ...range, archive, limit }),
    last: (archive: number, range: EntryRange, limit: number): number[] =>
      last(range).all({ ...range, archive, limit }),
    countIn: (archive: number, range: EntryRange, limit: number): number =>
      counting(range).get({ ...range, archive, limit }) ?? 0,
  };
}
