import { type FileHandle, open } from 'node:fs/promises';
import { type Damage, EjabberdRecord, type EjabberdTables } from './ejabberd-tables.ts';
import {
  Atom,
  ErlangSyntaxError,
  type ErlangTerm,
  itemsOf,
  nameOf,
  readRecordKey,
  readTerm,
  Tuple,
  type WrittenTerm,
  writtenTerms,
} from './erlang-terms.ts';

/** The text at the start of a dump. */
export const dumpStart = '{tables,';

/** Says to whom a record belongs, by its key. Undefined for one that is not imported. */
type OwnerOf = (key: readonly ErlangTerm[]) => string | undefined;

const accountOf: OwnerOf = ([name, domain]) =>
  typeof name === 'string' && typeof domain === 'string' ? `${name}@${domain}` : undefined;
const accountInside: OwnerOf = ([owner]) => (owner instanceof Tuple ? accountOf(owner.items) : undefined);
const nodeOf: OwnerOf = ([, node]) => String(node);
const serviceOf: OwnerOf = ([, service]) => (typeof service === 'string' ? service : undefined);

/** The tables that are imported, by the owners of their records: accounts, rooms, nodes, or services with rooms. */
const owners: Readonly<Record<string, OwnerOf>> = {
  passwd: accountOf,
  roster: accountOf,
  vcard: accountOf,
  private_storage: accountOf,
  privacy: accountOf,
  offline_msg: accountOf,
  archive_msg: accountOf,
  archive_prefs: accountOf,
  muc_room: accountOf,
  muc_registered: serviceOf,
  pubsub_node: accountInside,
  pubsub_item: nodeOf,
  pubsub_state: nodeOf,
};

/**
 * The tables in a file that `ejabberdctl dump` has written. It keeps the places of the records, not the records, so that a file may be
 * larger than the memory.
 */
export class EjabberdDump implements EjabberdTables {
  readonly damages: Damage[] = [];
  readonly #file: FileHandle;
  readonly #fields = new Map<string, readonly string[]>();
  /** For each table and owner, the offset and the length of each record. */
  readonly #places = new Map<string, Map<string, number[]>>();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Opens a file and finds its records. Throws ErlangSyntaxError if it ends too early. */
  static async open(path: string): Promise<EjabberdDump> {
    const dump = new EjabberdDump(await open(path));
    try {
      const input = dump.#file.createReadStream({ start: 0, autoClose: false });
      for await (const term of writtenTerms(input)) dump.#take(term);
      return dump;
    } catch (error) {
      await dump.close();
      throw error;
    }
  }

  /** Those who have records in a table, in the order of the file. */
  ownersIn(table: 'passwd' | 'muc_room'): string[] {
    return [...(this.#places.get(table)?.keys() ?? [])];
  }

  /** The records of an owner in a table. Calls `lose` for a damaged one. */
  async *records(table: string, owner: string, lose: (what: string) => void): AsyncGenerator<EjabberdRecord> {
    for await (const { record } of this.#recordsAt(table, this.#places.get(table)?.get(owner) ?? [], lose))
      yield record;
  }

  /** The records of an owner, in the order of a number that each of them has. It keeps only these numbers. */
  async *inOrder(
    table: string,
    owner: string,
    orderOf: (record: EjabberdRecord) => number,
    lose: (what: string) => void,
  ): AsyncGenerator<EjabberdRecord> {
    const found: { readonly order: number; readonly place: readonly number[] }[] = [];
    const places = this.#places.get(table)?.get(owner) ?? [];
    for await (const { record, place } of this.#recordsAt(table, places, lose))
      found.push({ order: orderOf(record), place });
    found.sort((one, other) => one.order - other.order);
    const sorted = found.flatMap(({ place }) => place);
    for await (const { record } of this.#recordsAt(table, sorted, lose)) yield record;
  }

  async *#recordsAt(table: string, places: readonly number[], lose: (what: string) => void) {
    for (let index = 0; index < places.length; index += 2) {
      const place = places.slice(index, index + 2);
      try {
        yield { record: this.#record(table, await this.#read(place)), place };
      } catch (error) {
        if (!(error instanceof ErlangSyntaxError)) throw error;
        lose(`a record in the table ${table}: ${error.message}`);
      }
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #take({ at, line, bytes }: WrittenTerm): void {
    try {
      const { name = '', key } = readRecordKey(bytes);
      if (name === 'tables') return this.#describe(key);
      const owner = key instanceof Tuple ? owners[name]?.(key.items) : undefined;
      if (owner !== undefined) this.#place(name, owner).push(at, bytes.length);
    } catch (error) {
      if (!(error instanceof ErlangSyntaxError)) throw error;
      this.damages.push({ place: `the record that begins in line ${line}`, problem: error.message });
    }
  }

  #describe(tables: ErlangTerm): void {
    for (const table of itemsOf(tables)) {
      if (!(table instanceof Tuple)) continue;
      const [name, properties] = table.items;
      const attributes = itemsOf(properties).find((one) => one instanceof Tuple && one.recordName === 'attributes');
      const fields = attributes instanceof Tuple ? itemsOf(attributes.items[1]) : [];
      if (name instanceof Atom)
        this.#fields.set(
          name.name,
          fields.map((field) => nameOf(field) ?? ''),
        );
    }
  }

  #place(table: string, owner: string): number[] {
    const ofTable = this.#places.get(table) ?? new Map<string, number[]>();
    this.#places.set(table, ofTable);
    const places = ofTable.get(owner) ?? [];
    ofTable.set(owner, places);
    return places;
  }

  async #read([at = 0, length = 0]: readonly number[]): Promise<Buffer> {
    const { buffer } = await this.#file.read(Buffer.alloc(length), 0, length, at);
    return buffer;
  }

  #record(table: string, bytes: Buffer): EjabberdRecord {
    const term = readTerm(bytes);
    if (!(term instanceof Tuple)) throw new ErlangSyntaxError('expected a record');
    const names = this.#fields.get(table) ?? [];
    return new EjabberdRecord(new Map(names.map((name, index) => [name, term.items[index + 1]])));
  }
}
