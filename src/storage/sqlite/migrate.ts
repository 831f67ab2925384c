import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { StorageError } from '../storage-error.ts';
import { copyDatabase } from './copy-database.ts';
import { dataPaths, fsyncDirectoryOf, newestBackup, utcStamp } from './data-directory.ts';
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

/** The schema of an open database; 0 for an empty one. Throws `schema` if it is not ours or newer than `newest`. */
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

/** Brings the database to the newest schema, after a backup if it holds anything. Each step succeeds or leaves no trace. */
export function migrate(db: Database.Database, migrationsDir: string, dataDir: string): Migration | undefined {
  const steps = readSteps(migrationsDir);
  const from = requireKnownSchema(db, steps.length, dataDir);
  const missing = steps.slice(from);
  const first = missing[0];
  if (first === undefined) return undefined;
  const backup = from === 0 ? undefined : backUpBefore(first, db, dataDir);
  for (const step of missing) applyStep(db, step);
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

function applyStep(db: Database.Database, step: Step): void {
  try {
    db.exec('BEGIN IMMEDIATE');
    db.exec(step.sql);
    db.pragma(`user_version = ${step.version}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    const reason = error instanceof Error ? error.message : String(error);
    throw new StorageError('schema', `Migration ${step.name} failed and was undone: ${reason}`, { cause: error });
  }
}

function readSteps(directory: string): Step[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.sql'));
  return names.sort().map((name, index) => {
    const version = Number(name.slice(0, 4));
    if (version !== index + 1) throw new StorageError('schema', `${name} is not migration number ${index + 1}`);
    return { version, name, sql: readFileSync(join(directory, name), 'utf8') };
  });
}
