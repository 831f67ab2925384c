import Database from 'better-sqlite3';
import { toStorageError } from './failures.ts';

/** A row, by the names of its columns. */
export type ForeignRow = Readonly<Record<string, string | number | Buffer | null>>;

/** The named parameters of a query. */
type Parameters = Readonly<Record<string, string | number>>;

/** The SQLite database of another program, open for reading. That program may use it meanwhile. */
export class ForeignDatabase {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Database.Statement>();

  private constructor(db: Database.Database) {
    this.#db = db;
  }

  /** Throws StorageError if the file is not a database. */
  static open(file: string): ForeignDatabase {
    try {
      const db = new Database(file, { readonly: true, fileMustExist: true });
      db.prepare('SELECT 1 FROM sqlite_schema').get();
      return new ForeignDatabase(db);
    } catch (error) {
      throw toStorageError(error);
    }
  }

  /** The names of the columns of a table; none if there is no such table. */
  columns(table: string): string[] {
    return this.rows('SELECT name FROM pragma_table_info(@table)', { table }).map(({ name }) => String(name));
  }

  rows(query: string, parameters: Parameters = {}): ForeignRow[] {
    try {
      return this.#statement(query).all(parameters) as ForeignRow[];
    } catch (error) {
      throw toStorageError(error);
    }
  }

  close(): void {
    this.#db.close();
  }

  #statement(query: string): Database.Statement {
    const known = this.#statements.get(query) ?? this.#db.prepare(query);
    this.#statements.set(query, known);
    return known;
  }
}
