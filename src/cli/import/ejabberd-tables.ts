import { type ErlangTerm, itemsOf, nameOf } from './erlang-terms.ts';

/** A record in a table of ejabberd. */
export class EjabberdRecord {
  readonly #fields: ReadonlyMap<string, ErlangTerm>;

  constructor(fields: ReadonlyMap<string, ErlangTerm>) {
    this.#fields = fields;
  }

  get(field: string): ErlangTerm {
    return this.#fields.get(field);
  }

  /** A field that is text. */
  text(field: string): string | undefined {
    const value = this.get(field);
    return typeof value === 'string' ? value : undefined;
  }

  /** The name of an atom. */
  name(field: string): string | undefined {
    return nameOf(this.get(field));
  }

  list(field: string): readonly ErlangTerm[] {
    return itemsOf(this.get(field));
  }
}

/** A part of the tables that cannot be read. */
export interface Damage {
  readonly place: string;
  readonly problem: string;
}

/** Gets a sentence about something that cannot be read. */
type Lose = (what: string) => void;

/**
 * The tables of ejabberd. A record belongs to an account, a room, a node or a service, by the name of the table. Names of tables and fields
 * are those of Mnesia, the database of Erlang.
 */
export interface EjabberdTables {
  readonly damages: readonly Damage[];
  /** Those who have records in a table. */
  ownersIn(table: 'passwd' | 'muc_room'): string[];
  /** The records of an owner in a table. Calls `lose` for a damaged one. */
  records(table: string, owner: string, lose: Lose): AsyncIterable<EjabberdRecord>;
  /** The same in the order of a time, which `orderOf` finds in a record. */
  inOrder(
    table: string,
    owner: string,
    orderOf: (record: EjabberdRecord) => number,
    lose: Lose,
  ): AsyncIterable<EjabberdRecord>;
  close(): Promise<void>;
}
