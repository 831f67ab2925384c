import { ForeignDatabase, type ForeignRow } from '../../storage/sqlite/foreign-database.ts';
import type { Element } from '../../xml/element.ts';
import { parseElement } from '../../xml/parse-element.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { EjabberdRecord, type EjabberdTables } from './ejabberd-tables.ts';
import { Atom, ErlangSyntaxError, type ErlangTerm, readTerm, Tuple } from './erlang-terms.ts';
import { faultIn } from './loss-error.ts';

/** The fields of a record by their names in Mnesia. */
type Fields = Readonly<Record<string, ErlangTerm>>;

/** Where the records of a table of Mnesia are in SQL. */
interface Source {
  readonly from: string;
  /** The rows of an owner: `@owner` is its address or number, `@name` and `@host` are the parts of an address. */
  readonly where: string;
  readonly order?: string;
  /** Whether an owner has one record, whatever the number of rows. */
  readonly isOne?: boolean;
  readonly fields: (row: ForeignRow) => Fields;
}

const ofAccount = 'username = @name';
const ofNode = 'nodeid = @owner';

/**
 * The tables that ejabberd keeps in a file of SQLite, as the records that it would keep in Mnesia. In its usual schema the tables do not name
 * the domain of the accounts; in its new one (`new_sql_schema`) they do.
 */
export class EjabberdSqlite implements EjabberdTables {
  readonly damages = [];
  readonly #db: ForeignDatabase;
  /** Whether tables of accounts have a column `server_host`. */
  readonly #namesDomains: boolean;
  readonly #domains: readonly string[];

  private constructor(db: ForeignDatabase, domains: readonly string[]) {
    this.#db = db;
    this.#namesDomains = db.columns('users').includes('server_host');
    this.#domains = this.#namesDomains
      ? db.rows('SELECT DISTINCT server_host AS domain FROM users').map(({ domain }) => String(domain))
      : domains;
  }

  /** `domains`: to which one the accounts belong, if the tables do not say so. Throws CommandError if ejabberd did not make this file. */
  static open(path: string, domains: readonly string[]): EjabberdSqlite {
    const db = ForeignDatabase.open(path);
    if (db.columns('users').length > 0 && db.columns('rosterusers').length > 0) return new EjabberdSqlite(db, domains);
    db.close();
    throw new CommandError(exitCodes.conflict, `${path} is a database of SQLite, but not one of ejabberd.`);
  }

  /** Throws CommandError if the domain of the accounts is not known. */
  ownersIn(table: 'passwd' | 'muc_room'): string[] {
    const [domain = '', ...others] = this.#domains;
    const addresses = (query: string) => this.#db.rows(query, { domain }).map(({ address }) => String(address));
    if (table === 'muc_room') return addresses("SELECT name || '@' || host AS address FROM muc_room ORDER BY rowid");
    if (this.#namesDomains) return addresses("SELECT DISTINCT username || '@' || server_host AS address FROM users");
    if (others.length === 0) return addresses("SELECT username || '@' || @domain AS address FROM users ORDER BY rowid");
    const fault = 'This database of ejabberd does not name the domain of its accounts';
    throw new CommandError(exitCodes.usage, `${fault}: choose one of yours with --domain.`);
  }

  /** Keeps the numbers of the rows, not the rows, so that a table may be larger than the memory. */
  async *records(table: string, owner: string, lose: (what: string) => void): AsyncGenerator<EjabberdRecord> {
    const source = this.#sources[table === 'archive_msg' && this.#isRoom(owner) ? 'room_archive' : table];
    if (!source || this.#db.columns(source.from).length === 0) return;
    const { from, order = 'rowid', isOne = false, fields } = source;
    const isHosted = this.#namesDomains && source.where.startsWith(ofAccount);
    const where = isHosted ? `${source.where} AND server_host = @host` : source.where;
    const parameters = { ...partsOf(owner), owner };
    const numbers = this.#db.rows(`SELECT rowid AS number FROM ${from} WHERE ${where} ORDER BY ${order}`, parameters);
    for (const { number } of isOne ? numbers.slice(0, 1) : numbers) {
      const [row] = this.#db.rows(`SELECT * FROM ${from} WHERE rowid = @number`, { number: Number(number) });
      const found = row && read(table, () => fields(row), lose);
      if (found) yield new EjabberdRecord(new Map(Object.entries(found)));
    }
  }

  /** SQL knows the order. */
  inOrder(
    table: string,
    owner: string,
    _orderOf: unknown,
    lose: (what: string) => void,
  ): AsyncGenerator<EjabberdRecord> {
    return this.records(table, owner, lose);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  /** Rooms have archives in the same table, under their addresses. */
  #isRoom(owner: string): boolean {
    return !this.#domains.includes(partsOf(owner).host);
  }

  readonly #sources: Readonly<Record<string, Source>> = {
    passwd: { from: 'users', where: ofAccount, fields: (row) => ({ password: credentialsIn(row) }) },
    roster: {
      from: 'rosterusers',
      where: ofAccount,
      fields: (row) => ({ ...contactIn(row), groups: this.#groups(row) }),
    },
    vcard: { from: 'vcard', where: ofAccount, fields: ({ vcard }) => ({ vcard: xmlTerm(vcard) }) },
    private_storage: { from: 'private_storage', where: ofAccount, fields: ({ data }) => ({ xml: xmlTerm(data) }) },
    privacy: {
      from: 'privacy_list',
      where: ofAccount,
      isOne: true,
      fields: (row) => this.#privacy(row),
    },
    archive_prefs: {
      from: 'archive_prefs',
      where: ofAccount,
      fields: ({ def, always, never }) => ({
        default: new Atom(String(def)),
        always: termIn(always),
        never: termIn(never),
      }),
    },
    offline_msg: { from: 'spool', where: ofAccount, order: 'seq', fields: ({ xml }) => ({ packet: xmlTerm(xml) }) },
    archive_msg: {
      from: 'archive',
      where: `${ofAccount} AND kind = 'chat'`,
      order: 'timestamp, id',
      fields: archivedIn,
    },
    room_archive: {
      from: 'archive',
      where: "username = @owner AND kind = 'groupchat'",
      order: 'timestamp, id',
      fields: archivedIn,
    },
    pubsub_node: { from: 'pubsub_node', where: 'host = @owner', fields: (row) => this.#node(row) },
    pubsub_state: { from: 'pubsub_state', where: ofNode, fields: stateIn },
    pubsub_item: { from: 'pubsub_item', where: ofNode, order: 'modification, rowid', fields: itemIn },
    muc_room: { from: 'muc_room', where: 'name = @name AND host = @host', fields: (row) => this.#room(row) },
    muc_registered: {
      from: 'muc_registered',
      where: 'host = @owner',
      fields: ({ jid, host, nick }) => ({ us_host: new Tuple([addressTerm(jid), String(host)]), nick: String(nick) }),
    },
  };

  #groups({ username, jid, server_host: host }: ForeignRow): ErlangTerm {
    const where = `${ofAccount} AND jid = @jid${this.#namesDomains ? ' AND server_host = @host' : ''}`;
    const parameters = { name: String(username), jid: String(jid), host: String(host) };
    return this.#db.rows(`SELECT grp FROM rostergroups WHERE ${where}`, parameters).map(({ grp }) => String(grp));
  }

  #privacy({ username, server_host: host }: ForeignRow): Fields {
    const where = `${ofAccount}${this.#namesDomains ? ' AND server_host = @host' : ''}`;
    const parameters = { name: String(username), host: String(host) };
    const [chosen] = this.#db.rows(`SELECT name FROM privacy_default_list WHERE ${where}`, parameters);
    const lists = this.#db.rows(`SELECT id, name FROM privacy_list WHERE ${where} ORDER BY id`, parameters);
    return {
      default: chosen ? String(chosen['name']) : new Atom('none'),
      lists: lists.map(({ id, name }) => {
        const items = this.#db.rows('SELECT * FROM privacy_list_data WHERE id = @id ORDER BY ord', { id: Number(id) });
        return new Tuple([String(name), items.map(privacyItemIn)]);
      }),
    };
  }

  #node({ nodeid, host, node }: ForeignRow): Fields {
    const options = this.#db.rows('SELECT name, val FROM pubsub_node_option WHERE nodeid = @id', {
      id: Number(nodeid),
    });
    return {
      nodeid: new Tuple([String(host), String(node)]),
      id: Number(nodeid),
      options: options.map(({ name, val }) => new Tuple([new Atom(String(name)), termIn(val)])),
    };
  }

  /** Subscribers have a table of their own. */
  #room({ name, host, opts }: ForeignRow): Fields {
    const query = 'SELECT jid FROM muc_room_subscribers WHERE room = @name AND host = @host';
    const subscribers = this.#db.rows(query, { name: String(name), host: String(host) }).map(({ jid }) => String(jid));
    const options = termIn(opts);
    const kept = Array.isArray(options) ? options : [];
    return { opts: [...kept, new Tuple([new Atom('subscribers'), subscribers])] };
  }
}

/** The fields of a row; undefined for a damaged one, after `lose` was called. */
function read(table: string, fields: () => Fields, lose: (what: string) => void): Fields | undefined {
  try {
    return fields();
  } catch (error) {
    lose(`a record in the table ${table}: ${error instanceof ErlangSyntaxError ? error.message : faultIn(error)}`);
    return undefined;
  }
}

/** The parts of an address without a resource. */
function partsOf(address: string): { readonly name: string; readonly host: string } {
  const at = address.lastIndexOf('@');
  return { name: address.slice(0, Math.max(at, 0)), host: address.slice(at + 1) };
}

function addressTerm(jid: ForeignRow[string] | undefined): Tuple {
  const text = String(jid);
  const slash = text.indexOf('/');
  const bare = slash < 0 ? text : text.slice(0, slash);
  const { name, host } = partsOf(bare);
  return new Tuple([name, host, slash < 0 ? '' : text.slice(slash + 1)]);
}

/** A text that has an Erlang term. */
function termIn(text: ForeignRow[string] | undefined): ErlangTerm {
  return readTerm(Buffer.from(String(text)));
}

/** XML as ejabberd keeps it in Mnesia. Throws XmlError. */
function xmlTerm(text: ForeignRow[string] | undefined): Tuple {
  return elementTerm(parseElement(String(text)));
}

function elementTerm({ name, attrs, children }: Element): Tuple {
  const attributes = Object.entries(attrs).map(([key, value]) => new Tuple([key, String(value)]));
  const content = children.map((child) =>
    typeof child === 'string' ? new Tuple([new Atom('xmlcdata'), child]) : elementTerm(child),
  );
  return new Tuple([new Atom('xmlel'), name, attributes, content]);
}

/** A time from microseconds since 1970. */
function timeTerm(timestamp: ForeignRow[string] | undefined): Tuple {
  const seconds = Math.floor(Number(timestamp) / 1e6);
  return new Tuple([Math.floor(seconds / 1e6), seconds % 1e6, Number(timestamp) % 1e6]);
}

/** The hashes by their numbers in `type`, which only the latest schema has. Before it, the key begins with the name of any but SHA-1. */
const hashes: Readonly<Record<string, string>> = { '2': 'sha', '3': 'sha256', '4': 'sha512' };

function credentialsIn({ password, serverkey, salt, iterationcount, type }: ForeignRow): ErlangTerm {
  if (!(Number(iterationcount) > 0)) return String(password);
  const [, named, key = ''] = /^(?:(sha\d*):)?(.*)$/s.exec(String(password)) ?? [];
  const hash = hashes[String(type)] ?? named ?? 'sha';
  return new Tuple([new Atom('scram'), key, String(serverkey), String(salt), new Atom(hash), Number(iterationcount)]);
}

const subscriptions: Readonly<Record<string, string>> = { B: 'both', T: 'to', F: 'from' };
const asks: Readonly<Record<string, string>> = { S: 'subscribe', U: 'unsubscribe', B: 'both', O: 'out', I: 'in' };

function contactIn({ jid, nick, subscription, ask, askmessage }: ForeignRow): Fields {
  return {
    jid: addressTerm(jid),
    name: String(nick),
    subscription: new Atom(subscriptions[String(subscription)] ?? 'none'),
    ask: new Atom(asks[String(ask)] ?? 'none'),
    askmessage: String(askmessage),
  };
}

const itemTypes: Readonly<Record<string, string>> = { j: 'jid', g: 'group', s: 'subscription' };

function privacyItemIn({ t, value, action, ord, match_all: all }: ForeignRow): Tuple {
  const type = itemTypes[String(t)] ?? 'none';
  const whom = type === 'jid' ? addressTerm(value) : String(value);
  const isForAll = ['1', 't', 'true'].includes(String(all));
  return new Tuple([
    new Atom('listitem'),
    new Atom(type),
    whom,
    new Atom(action === 'd' ? 'deny' : 'allow'),
    Number(ord),
    isForAll,
  ]);
}

/** The id of a message is its time. */
function archivedIn({ timestamp, xml, nick }: ForeignRow): Fields {
  return { id: String(timestamp), timestamp: timeTerm(timestamp), packet: xmlTerm(xml), nick: String(nick ?? '') };
}

const affiliations: Readonly<Record<string, string>> = {
  o: 'owner',
  p: 'publisher',
  u: 'publish_only',
  m: 'member',
  c: 'outcast',
};
const nodeSubscriptions: Readonly<Record<string, string>> = { s: 'subscribed', p: 'pending', u: 'unconfigured' };

/** Subscriptions are written `s:ID,p:ID`. */
function stateIn({ nodeid, jid, affiliation, subscriptions: written }: ForeignRow): Fields {
  const each = String(written ?? '')
    .split(',')
    .filter((text) => text.includes(':'));
  return {
    stateid: new Tuple([addressTerm(jid), Number(nodeid)]),
    affiliation: new Atom(affiliations[String(affiliation)] ?? 'none'),
    subscriptions: each.map((text) => {
      const [kind = '', id = ''] = text.split(':');
      return new Tuple([new Atom(nodeSubscriptions[kind] ?? 'none'), id]);
    }),
  };
}

/** A time is written as its three numbers with colons between them. */
function itemIn({ nodeid, itemid, modification, payload }: ForeignRow): Fields {
  return {
    itemid: new Tuple([String(itemid), Number(nodeid)]),
    modification: new Tuple([new Tuple(String(modification).split(':').map(Number))]),
    payload: payload === '' ? [] : [xmlTerm(payload)],
  };
}
