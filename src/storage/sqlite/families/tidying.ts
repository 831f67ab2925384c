import type Database from 'better-sqlite3';

/** Rows that an operation which tidies up removes at most, and owners of rows that it looks at: it must not hold up others for long. */
export const removedAtOnce = 250;
const ownersAtOnce = 2000;
/** A row can be in pages that come from a slow disk, so an operation also ends after this time. It looks at the time after each portion. */
const operationMs = 5;
const portion = 25;

/**
 * Does portions of work until it has done `most`, nothing is left, or the time of an operation is over. `work` returns how much it has done:
 * less than it is told if nothing is left. Returns the sum.
 */
export function inTime(most: number, work: (count: number) => number): number {
  const endMs = performance.now() + operationMs;
  let done = 0;
  for (let wanted = Math.min(portion, most); wanted > 0; wanted = Math.min(portion, most - done)) {
    const some = work(wanted);
    done += some;
    if (some < wanted || performance.now() >= endMs) break;
  }
  return done;
}

/** The columns in which a table counts the rows of each owner. The owner is its integer primary key. */
interface Counted {
  readonly table: string;
  readonly owner: string;
  readonly count: string;
}

/** An owner of too many rows. */
interface Overfull {
  readonly owner: number;
  readonly excess: number;
}

/**
 * Prepares the search for an owner of more than `most` rows. A call looks at some owners only, and the next one goes on from there. It
 * returns true if it has found nothing and there are others to look at, and false at the end of the table.
 */
export function prepareOverfull(db: Database.Database, { table, owner, count }: Counted) {
  const find = db.prepare<{ after: number; upTo: number; most: number }, Overfull>(
    `SELECT ${owner} AS owner, ${count} - @most AS excess FROM ${table}
     WHERE ${owner} > @after AND ${owner} <= @upTo AND ${count} > @most ORDER BY ${owner} LIMIT 1`,
  );
  const last = db.prepare<[], number | null>(`SELECT max(${owner}) FROM ${table}`).pluck();
  let seen = 0;
  return (most: number): Overfull | boolean => {
    if (most >= Number.MAX_SAFE_INTEGER) return false;
    const found = find.get({ after: seen, upTo: seen + ownersAtOnce, most });
    if (found) {
      seen = found.owner - 1;
      return found;
    }
    seen += ownersAtOnce;
    if (seen < (last.get() ?? 0)) return true;
    seen = 0;
    return false;
  };
}
