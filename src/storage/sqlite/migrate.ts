import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { StorageError } from '../storage-error.ts';
import { copyDatabase } from './copy-database.ts';
import { dataPaths, fsyncDirectoryOf, newestBackup, utcStamp } from './data-directory.ts';
import { toStorageError } from './failures.ts';
import type { Migration } from './messages.ts';

/** The mark of an Ampere store in the file header: "AMPR". */
const applicationId = 0x414d5052;

interface Step {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** The number of the newest schema in a directory of migrations. */
export function newestSchema(migrationsDir: string): number {
  return readSteps(migrationsDir).length;
}

/** The schema version of an open database, 0 if it is empty. Throws `schema` if it is not Ampere's or newer than `newest`. */
export function requireKnownSchema(db: Database.Database, newest: number, dataDir: string): number {
  const version = Number(db.pragma('user_version', { simple: true }));
  const mark = db.pragma('application_id', { simple: true });
  const tables = db.prepare('SELECT 1 FROM sqlite_schema').get();
  if (tables !== undefined && (mark !== applicationId || version < 1)) {
    throw new StorageError('schema', `${db.name} is an SQLite database, but not one of Ampere's`);
  }
  if (version > newest) throw new StorageError('schema', newerText(db.name, version, newest, dataDir));
  return version;
}

function newerText(file: string, version: number, newest: number, dataDir: string): string {
  const backup = newestBackup(dataDir);
  const way = backup === undefined ? '' : `, or restore ${backup}`;
  return `${file} has schema ${version}, but this version of Ampere knows only ${newest}: run the newer version again${way}`;
}

/** Migrates the database to the newest schema, after a backup if it holds data. Each step succeeds or leaves no trace. */
export function migrate(db: Database.Database, migrationsDir: string, dataDir: string): Migration | undefined {
  const steps = readSteps(migrationsDir);
  const from = requireKnownSchema(db, steps.length, dataDir);
  const missing = steps.slice(from);
  const first = missing[0];
  if (first === undefined) return undefined;
  const backup = from === 0 ? undefined : backUpBefore(first, db, dataDir);
  applySteps(db, missing, backup);
  return backup === undefined ? undefined : { from, to: steps.length, backup };
}

function backUpBefore(step: Step, db: Database.Database, dataDir: string): string {
  const { backups } = dataPaths(dataDir);
  if (!existsSync(backups)) {
    mkdirSync(backups, { mode: 0o700 });
    fsyncDirectoryOf(backups);
  }
  const file = join(backups, `before-${String(step.version).padStart(4, '0')}-${utcStamp()}.db`);
  copyDatabase(db, file);
  return file;
}

function applySteps(db: Database.Database, steps: readonly Step[], backup: string | undefined): void {
  let applied = 0;
  try {
    for (const step of steps) {
      applyStep(db, step);
      applied += 1;
    }
  } catch (error) {
    // Repeated starts of a server that cannot migrate must not fill the disk with equal copies.
    if (error instanceof StorageError && backup !== undefined && applied === 0) rmSync(backup);
    throw error;
  }
}

/** Throws a `StorageError` if the step was rolled back. After a failed commit, the state on the disk is unknown. */
function applyStep(db: Database.Database, step: Step): void {
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec(step.sql);
    db.pragma(`user_version = ${step.version}`);
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    const { code, message } = toStorageError(error);
    const text = `Migration ${step.name} failed and was undone: ${message}`;
    throw new StorageError(code === 'full' ? 'full' : 'schema', text, { cause: error });
  }
  db.exec('COMMIT');
}

function readSteps(directory: string): Step[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.sql'));
  return names.sort().map((name, index) => {
    const version = Number(name.slice(0, 4));
    if (version !== index + 1) throw new StorageError('schema', `${name} is not migration number ${index + 1}`);
    return { version, name, sql: readFileSync(join(directory, name), 'utf8') };
  });
}
