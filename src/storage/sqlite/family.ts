import type Database from 'better-sqlite3';
import type { OperationQueue } from './operation-queue.ts';

/** Operations by name. Only the family that defines an operation knows its parameters and its result. */
export type Operations = Readonly<Record<string, (...args: never[]) => unknown>>;

/** Operations prepared for one database. Writes run in a transaction, each in its own savepoint. */
interface PreparedOperations<Reads extends Operations = Operations, Writes extends Operations = Operations> {
  readonly reads: Reads;
  readonly writes: Writes;
}

/** The operations that a `prepare` function prepares. */
export type OperationsOf<Prepare extends (db: Database.Database) => PreparedOperations> = ReturnType<Prepare>['reads'] &
  ReturnType<Prepare>['writes'];

/** Runs an operation in the storage thread, after all operations called before it; rejects with a `StorageError`. */
type Run<Known extends Operations> = <Name extends keyof Known & string>(
  operation: Name,
  ...args: Parameters<Known[Name]>
) => Promise<ReturnType<Known[Name]>>;

/** Gives one row to an operation for many, see `OperationQueue.gather`; its calls add data, and have no results. */
type Gather<Known extends Operations> = <Row, Name extends keyof Known & string>(
  operation: Name,
  bytesOf: (row: Row) => number,
  pack: (rows: readonly Row[]) => Parameters<Known[Name]>,
) => (row: Row) => Promise<void>;

/** The parts of the storage that stores use. */
interface StoreServices {
  readonly nowMs: () => number;
  /** An id larger than all earlier ids, in all tables. */
  readonly nextId: () => number;
}

/** Dependencies of a store. */
export interface StoreContext<Known extends Operations> extends StoreServices {
  readonly run: Run<Known>;
  /** Like `run`, for data that only moves between tables: it is accepted even when the disk is nearly full. */
  readonly move: Run<Known>;
  readonly gather: Gather<Known>;
}

/** The definition of a family of tables. */
interface FamilyDefinition<
  Name extends string,
  Reads extends Operations,
  Writes extends Operations,
  Store extends object,
> {
  /** The name of the store, and the prefix of its operations. */
  readonly name: Name;
  /** Called in the storage thread, once for each database that is opened. */
  readonly prepare: (db: Database.Database) => PreparedOperations<Reads, Writes>;
  /** The writes that add data: they are refused while the disk is nearly full. Removals and changes in place are not among them. */
  readonly adds: readonly (keyof NoInfer<Writes> & string)[];
  /** Called in the main thread: the store whose methods run the operations. */
  readonly store: (context: StoreContext<Reads & Writes>) => Store;
}

/** A family of tables, with the types of its operations hidden. */
export interface Family<Name extends string = string, Store extends object = object> {
  readonly name: Name;
  readonly adds: readonly string[];
  prepare(db: Database.Database): PreparedOperations;
  /** The store in the main thread. */
  open(queue: Pick<OperationQueue, 'run' | 'gather'>, services: StoreServices): Store;
}

/** Makes a family: the types of its operations follow from `prepare`, so that `adds` and `store` are checked against it. */
export function defineFamily<
  Name extends string,
  Reads extends Operations,
  Writes extends Operations,
  Store extends object,
>(definition: FamilyDefinition<Name, Reads, Writes, Store>): Family<Name, Store> {
  const { name, prepare, adds, store } = definition;
  const adding: ReadonlySet<string> = new Set(adds);
  return {
    name,
    adds,
    prepare,
    open: (queue, services) =>
      store({
        ...services,
        run: (operation, ...args) => queue.run(`${name}.${operation}`, args, adding.has(operation)),
        move: (operation, ...args) => queue.run(`${name}.${operation}`, args),
        gather: (operation, bytesOf, pack) =>
          queue.gather(`${name}.${operation}`, bytesOf, pack, adding.has(operation)),
      }),
  };
}

/** The stores of a list of families, by name. */
type StoresOf<Families extends readonly Family[]> = {
  readonly [Each in Families[number] as Each['name']]: ReturnType<Each['open']>;
};

/** Opens the store of each family. */
export function openStores<const Families extends readonly Family[]>(
  families: Families,
  queue: Pick<OperationQueue, 'run' | 'gather'>,
  services: StoreServices,
): StoresOf<Families> {
  const stores = families.map((family) => [family.name, family.open(queue, services)] as const);
  // `fromEntries` forgets which name has which store.
  return Object.fromEntries(stores) as StoresOf<Families>;
}
