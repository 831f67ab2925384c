import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { dataPaths } from '../../src/storage/sqlite/data-directory.ts';
import { openSqliteStorage, type SqliteStorageOptions } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** A directory for each test of the surrounding suite, and the stores opened in it; all are cleared away after the test. */
export class TestDirectory {
  dataDir = '';
  #opened: Storage[] = [];

  constructor() {
    beforeEach(() => {
      this.dataDir = mkdtempSync(join(tmpdir(), 'ampere-test-'));
    });
    afterEach(async () => {
      await Promise.all(this.#opened.map((storage) => storage.close()));
      this.#opened = [];
      rmSync(this.dataDir, { recursive: true, force: true });
    });
  }

  /** Opens a store in this directory. */
  async open(options: Partial<SqliteStorageOptions> = {}): Promise<Storage> {
    const onFatal = (error: Error) => {
      throw error;
    };
    const storage = await openSqliteStorage({ dataDir: this.dataDir, onFatal, ...options });
    this.#opened.push(storage);
    return storage;
  }

  /** Makes the database. Returns the page count with which it is full after `pages` more. */
  async pageCountWith(pages: number): Promise<number> {
    await (await this.open()).close();
    const db = new Database(dataPaths(this.dataDir).database, { readonly: true });
    const used = db.pragma('page_count', { simple: true });
    db.close();
    return Number(used) + pages;
  }

  /** A path in this directory. */
  path(...names: string[]): string {
    return join(this.dataDir, ...names);
  }
}
