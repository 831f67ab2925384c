import type Database from 'better-sqlite3';
import type { Ballast } from './ballast.ts';

/** Work on the files of the database that no transaction can do, and what it answers. */
export interface Maintenance {
  /** Makes the ballast; false if there is not enough free space. */
  makeBallast(): boolean;
}

/** The name of a piece of maintenance. */
export type MaintenanceTask = keyof Maintenance;

/** Prepares the maintenance of an open database. */
export function prepareMaintenance(ballast: Ballast): Maintenance {
  return { makeBallast: () => ballast.make() };
}

/** Moves the log into the database and gives its space back to the file system. */
export function emptyLog(db: Database.Database): void {
  db.pragma('wal_checkpoint(TRUNCATE)');
}
