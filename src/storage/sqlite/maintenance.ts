import type Database from 'better-sqlite3';
import type { Ballast } from './ballast.ts';
import { requirePassing, toStorageError } from './failures.ts';

/** What reclaiming space has brought. */
export interface ReclaimedSpace {
  /** The bytes that are free inside the database. */
  readonly reusableBytes: number;
  readonly hasBallast: boolean;
}

/** Work on the files of the database that no transaction can do, and what it returns. */
export interface Maintenance {
  /** Makes the ballast; false if there is not enough free space. */
  makeBallast(): boolean;
  /** Gives the space of the log back to the file system. */
  reclaimSpace(): ReclaimedSpace;
}

/** The name of a piece of maintenance. */
export type MaintenanceTask = keyof Maintenance;

/** Prepares the maintenance of an open database. */
export function prepareMaintenance(db: Database.Database, ballast: Ballast): Maintenance {
  return {
    makeBallast: () => ballast.make(),
    reclaimSpace: () => {
      if (!emptyLog(db) && ballast.present) emptyLogWith(ballast, db);
      const read = (pragma: string) => Number(db.pragma(pragma, { simple: true }));
      return { reusableBytes: read('freelist_count') * read('page_size'), hasBallast: ballast.present };
    },
  };
}

/** The log takes at least as much space as the database will grow by, so that there is space for the ballast again. */
function emptyLogWith(ballast: Ballast, db: Database.Database): void {
  ballast.release();
  emptyLog(db);
  ballast.make();
}

/**
 * Moves the log into the database and cuts its file to nothing, except for the part that a backup still reads. False if the disk is too
 * full for that.
 */
export function emptyLog(db: Database.Database): boolean {
  const usual = db.pragma('busy_timeout', { simple: true });
  // A backup takes long, and writes should not wait for it meanwhile.
  db.pragma('busy_timeout = 0');
  try {
    db.pragma('wal_checkpoint(TRUNCATE)');
    return true;
  } catch (error) {
    return requirePassing(toStorageError(error)).code !== 'full';
  } finally {
    db.pragma(`busy_timeout = ${usual}`);
  }
}
