import { statSync } from 'node:fs';
import Database from 'better-sqlite3';
import { StorageError } from '../storage-error.ts';
import { toStorageError } from './failures.ts';
import { newestSchema, requireKnownSchema } from './migrate.ts';
import { defaultMigrationsDir } from './open-sqlite-storage.ts';

/** What a backup contains. */
export interface BackupContents {
  readonly accounts: number;
  readonly schemaVersion: number;
  readonly bytes: number;
}

/**
 * Reads all of a backup as a restore would, and compares each index with its table and each reference with its row. Throws a
 * `StorageError` if something is wrong. Changes nothing.
 */
export function verifyBackup(file: string): BackupContents {
  try {
    const { size: bytes } = statSync(file);
    const db = new Database(file, { readonly: true });
    try {
      const schemaVersion = requireKnownSchema(db, newestSchema(defaultMigrationsDir), file);
      const finding = db.pragma('integrity_check(1)', { simple: true });
      if (finding !== 'ok') throw new StorageError('corrupt', `${file} is damaged: ${finding}`);
      const [orphan] = db.pragma('foreign_key_check') as readonly { readonly table: string }[];
      if (orphan) throw new StorageError('corrupt', `${file} is damaged: a row of ${orphan.table} belongs to nothing`);
      const accounts = db.prepare<[], number>('SELECT count(*) FROM accounts').pluck().get() ?? 0;
      return { accounts, schemaVersion, bytes };
    } finally {
      db.close();
    }
  } catch (error) {
    throw toStorageError(error);
  }
}
