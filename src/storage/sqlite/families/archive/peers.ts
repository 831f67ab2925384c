import type Database from 'better-sqlite3';

/** Numbers kept in memory. */
const remembered = 20_000;

/** Numbers for the bare JIDs in archives. */
export class Peers {
  readonly #byJid;
  readonly #insert;
  readonly #known = new Map<string, number>();

  constructor(db: Database.Database) {
    this.#byJid = db.prepare<[string], number>('SELECT id FROM archive_peers WHERE jid = ?').pluck();
    this.#insert = db.prepare<[string], number>('INSERT INTO archive_peers (jid) VALUES (?) RETURNING id').pluck();
  }

  find(jid: string): number | undefined {
    return this.#known.get(jid) ?? this.#byJid.get(jid);
  }

  /** The number of a JID, which gets one if it has none. */
  need(jid: string): number {
    const known = this.#known.get(jid);
    if (known !== undefined) return known;
    const number = this.#byJid.get(jid) ?? this.#insert.get(jid)!;
    if (this.#known.size >= remembered) this.#known.clear();
    this.#known.set(jid, number);
    return number;
  }

  /** Forgets all numbers: a transaction that gave some of them may have been undone. */
  forget(): void {
    this.#known.clear();
  }
}
