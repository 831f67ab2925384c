import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ns } from '../../protocol/namespaces.ts';
import { type Element, xml } from '../../xml/element.ts';
import { faultIn } from './loss-error.ts';
import { LuaSyntaxError, LuaTable, readLuaItems, readLuaReturn, textOfBytes } from './lua-table.ts';
import type { PortableEvent } from './portable-document.ts';
import {
  archivedElement,
  blocklistElement,
  elementOf,
  itemsElement,
  nodeElement,
  offlineElement,
  preferencesElement,
  privateElement,
  rosterElements,
  scramElement,
} from './prosody-parts.ts';

/** Makes the parts of an account from a table. */
type PartsOf = (table: LuaTable) => Element | readonly Element[] | undefined;

/** The stores of which each has one table of an account. */
const tableStores: readonly (readonly [store: string, parts: PartsOf])[] = [
  ['roster', rosterElements],
  ['vcard', elementOf],
  ['private', privateElement],
  ['blocklist', blocklistElement],
  ['archive_prefs', preferencesElement],
];

/** Whether a directory is the data directory of Prosody: it has a host with accounts. */
export async function isProsodyDirectory(directory: string): Promise<boolean> {
  return (await hostsIn(directory, 'accounts')).length > 0;
}

/** The accounts in the data directory of Prosody, as the pieces of a XEP-0227 document. Prosody may be running. */
export async function* prosodyEvents(directory: string): AsyncGenerator<PortableEvent> {
  for (const host of await hostsIn(directory, 'accounts')) {
    yield { kind: 'host', jid: decodedName(host) };
    for (const user of await namesIn(join(directory, host, 'accounts'), '.dat')) {
      yield* new ProsodyUser(join(directory, host), user, decodedName(host)).events();
    }
  }
}

/** The directories of the hosts that have a store. */
export async function hostsIn(directory: string, store: string): Promise<string[]> {
  const names = (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  return names.map(({ name }) => name).filter((name) => existsSync(join(directory, name, store)));
}

/** The names of the files in a directory, without their ending. */
export async function namesIn(directory: string, ending: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length));
}

/** The name that a file stands for. Prosody writes each byte that is not a letter or a digit as `%` and two digits. */
export function decodedName(name: string): string {
  const bytes = name.replace(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return textOfBytes(bytes);
}

/** One account in the directory of its host. */
class ProsodyUser {
  readonly #host: string;
  readonly #file: string;
  readonly #domain: string;
  readonly #lost: string[] = [];

  constructor(host: string, file: string, domain: string) {
    this.#host = host;
    this.#file = file;
    this.#domain = domain;
  }

  async *events(): AsyncGenerator<PortableEvent> {
    const account = (await this.#table('accounts')) ?? new LuaTable();
    yield { kind: 'user', name: decodedName(this.#file), password: account.text('password'), line: 0 };
    yield* this.#take(() => scramElement(account));
    for (const [store, parts] of tableStores) {
      const table = await this.#table(store);
      if (table) yield* this.#take(() => parts(table));
    }
    if (await this.#table('privacy')) this.#lose('privacy lists');
    yield* this.#offline();
    yield* this.#nodes();
    yield* this.#archive();
    yield* this.#take(() => undefined);
    yield { kind: 'user-end' };
  }

  async *#offline(): AsyncGenerator<PortableEvent> {
    for (const item of await this.#items('offline')) {
      yield* this.#take(() => xml('offline-messages', { xmlns: ns.portableData }, offlineElement(item, this.#domain)));
    }
  }

  async *#nodes(): AsyncGenerator<PortableEvent> {
    for (const [name, node] of (await this.#table('pep'))?.fields ?? []) {
      if (typeof name !== 'string') continue;
      const title = textOfBytes(name);
      const known = node instanceof LuaTable ? node : undefined;
      yield* this.#take(() => nodeElement(title, known?.table('config') ?? new LuaTable(), known));
      const items = await this.#items(`pep_${name}`);
      if (items.length > 0) yield* this.#take(() => itemsElement(title, items));
    }
  }

  async *#archive(): AsyncGenerator<PortableEvent> {
    for (const item of await this.#items('archive')) {
      for (const event of this.#take(() => archivedElement(item)))
        yield event.kind === 'part' ? { ...event, kind: 'archived' } : event;
    }
  }

  /** What was lost before, and the parts that `make` returns. */
  #take(make: () => ReturnType<PartsOf>): PortableEvent[] {
    let parts: readonly Element[] = [];
    try {
      parts = [make() ?? []].flat();
    } catch (error) {
      this.#lose(faultIn(error));
    }
    const lost = this.#lost.splice(0);
    return [
      ...lost.map((what): PortableEvent => ({ kind: 'lost', what })),
      ...parts.map((element): PortableEvent => ({ kind: 'part', element })),
    ];
  }

  #lose(what: string): void {
    this.#lost.push(what);
  }

  /** The table in a file of a store; undefined if there is no file, or if it is damaged. */
  async #table(store: string): Promise<LuaTable | undefined> {
    const read = await this.#read(store, 'dat', readLuaReturn);
    return read instanceof LuaTable ? read : undefined;
  }

  /** The items in a file of a store, oldest first. */
  async #items(store: string): Promise<LuaTable[]> {
    const read = await this.#read(store, 'list', (bytes) => [...readLuaItems(bytes)]);
    const items = (read ?? []).filter((item) => item instanceof LuaTable);
    return items.sort((one, other) => Number(one.get('when') ?? 0) - Number(other.get('when') ?? 0));
  }

  async #read<T>(store: string, ending: string, read: (bytes: Buffer) => T): Promise<T | undefined> {
    const path = join(this.#host, encodedStore(store), `${this.#file}.${ending}`);
    if (!existsSync(path)) return undefined;
    try {
      return read(await readFile(path));
    } catch (error) {
      if (!(error instanceof LuaSyntaxError)) throw error;
      this.#lose(`${path}: ${error.message}`);
      return undefined;
    }
  }
}

/** Names of stores keep their underscores. */
function encodedStore(name: string): string {
  return name.replace(/[^_A-Za-z0-9]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
