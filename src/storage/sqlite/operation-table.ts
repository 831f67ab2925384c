import type Database from 'better-sqlite3';
import type { Family, Operations } from './family.ts';
import type { OperationCall } from './messages.ts';

type Operation = Operations[string];

/** The operations of all families, prepared for one database, by their full names such as `offline.append`. */
export class OperationTable {
  readonly #reads = new Map<string, Operation>();
  readonly #writes = new Map<string, Operation>();
  readonly #adding = new Set<string>();

  /** Throws if two families share a name. */
  constructor(db: Database.Database, families: readonly Family[]) {
    const names = new Set(families.map(({ name }) => name));
    if (names.size < families.length) throw new Error('Two families of tables have the same name');
    for (const family of families) this.#add(family, db);
  }

  isWrite([operation]: OperationCall): boolean {
    return this.#writes.has(operation);
  }

  /** Whether a call needs more space in the database. */
  addsData([operation]: OperationCall): boolean {
    return this.#adding.has(operation);
  }

  /** Executes one call. Throws the error of its operation. */
  execute([name, args]: OperationCall): unknown {
    const operation = this.#writes.get(name) ?? this.#reads.get(name);
    if (operation === undefined) throw new Error(`There is no storage operation ${name}`);
    // The family that made the call also defined the operation, and checked the one against the other.
    return operation(...(args as never[]));
  }

  #add({ name, adds, prepare }: Family, db: Database.Database): void {
    const { reads, writes } = prepare(db);
    for (const [operation, execute] of Object.entries(reads)) this.#reads.set(`${name}.${operation}`, execute);
    for (const [operation, execute] of Object.entries(writes)) this.#writes.set(`${name}.${operation}`, execute);
    for (const operation of adds) this.#adding.add(`${name}.${operation}`);
  }
}
