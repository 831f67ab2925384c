import { ns } from '../../protocol/namespaces.ts';
import { type Element, xml } from '../../xml/element.ts';
import type { SendArchived } from './archive-upload.ts';
import {
  archivedElement,
  blocklistOf,
  contactElements,
  elementOf,
  itemsElement,
  nodeElement,
  offlineElement,
  preferencesElement,
  publishedMs,
  scramElement,
  timeMsOf,
} from './ejabberd-parts.ts';
import type { EjabberdRecord, EjabberdTables } from './ejabberd-tables.ts';
import { Tuple } from './erlang-terms.ts';
import type { Entry } from './found-user.ts';
import { faultIn } from './loss-error.ts';
import type { PortableEvent } from './portable-document.ts';
import { portableUsers } from './portable-users.ts';

/** The accounts in the tables, and the parts of these that cannot be read. Closes the tables. */
export async function* ejabberdUsers(tables: EjabberdTables, nowMs: number, send: SendArchived): AsyncGenerator<Entry> {
  try {
    yield* tables.damages;
    yield* portableUsers(ejabberdEvents(tables, nowMs), nowMs, send);
  } finally {
    await tables.close();
  }
}

/** The accounts in the tables, as the pieces of a XEP-0227 document. */
async function* ejabberdEvents(tables: EjabberdTables, nowMs: number): AsyncGenerator<PortableEvent> {
  for (const account of tables.ownersIn('passwd')) {
    const user = new EjabberdUser(tables, account, nowMs);
    yield { kind: 'host', jid: user.domain };
    yield* user.events();
  }
}

/** Makes the parts of an account from a record. */
type PartsOf = (record: EjabberdRecord) => Element | readonly Element[] | undefined;

/** One account in the tables. */
class EjabberdUser {
  readonly domain: string;
  readonly #tables: EjabberdTables;
  readonly #account: string;
  readonly #nowMs: number;
  readonly #lost: string[] = [];

  constructor(tables: EjabberdTables, account: string, nowMs: number) {
    this.#tables = tables;
    this.#account = account;
    this.#nowMs = nowMs;
    this.domain = account.slice(account.lastIndexOf('@') + 1);
  }

  async *events(): AsyncGenerator<PortableEvent> {
    const name = this.#account.slice(0, -this.domain.length - 1);
    const keys = await this.#all('passwd', this.#account);
    const password = keys.map((record) => record.text('password')).find((text) => text !== undefined);
    yield { kind: 'user', name, password, line: 0 };
    for (const record of keys) yield* this.#take(record, (key) => scramElement(key.get('password')));
    yield* this.#parts('roster', contactElements);
    yield* this.#parts('vcard', (record) => elementOf(record.get('vcard')));
    yield* this.#parts('private_storage', (record) =>
      xml('query', { xmlns: ns.privateXml }, elementOf(record.get('xml'))),
    );
    yield* this.#parts('privacy', (record) => this.#blocklist(record));
    yield* this.#parts('archive_prefs', preferencesElement);
    yield* this.#offline();
    yield* this.#nodes();
    yield* this.#archive();
    yield* this.#losses();
    yield { kind: 'user-end' };
  }

  #blocklist(privacy: EjabberdRecord): Element {
    const { blocklist, others } = blocklistOf(privacy);
    for (const list of others) this.#lose(`what the privacy list ${list} does besides blocking`);
    return blocklist;
  }

  async *#offline(): AsyncGenerator<PortableEvent> {
    const arrival = (record: EjabberdRecord) => timeMsOf(record.get('timestamp')) ?? 0;
    for await (const record of this.#tables.inOrder('offline_msg', this.#account, arrival, this.#lose))
      yield* this.#take(record, (message) => offlineElement(message, this.domain, this.#nowMs));
  }

  async *#nodes(): AsyncGenerator<PortableEvent> {
    for (const node of await this.#all('pubsub_node', this.#account)) {
      const key = node.get('nodeid');
      const name = String(key instanceof Tuple ? key.items[1] : '');
      const number = String(node.get('id'));
      const states = await this.#all('pubsub_state', number);
      yield* this.#take(node, () => nodeElement(name, node.get('options'), states));
      for await (const item of this.#tables.inOrder('pubsub_item', number, publishedMs, this.#lose))
        yield* this.#take(item, () => itemsElement(name, item));
    }
  }

  async *#archive(): AsyncGenerator<PortableEvent> {
    const time = (record: EjabberdRecord) => timeMsOf(record.get('timestamp')) ?? 0;
    for await (const record of this.#tables.inOrder('archive_msg', this.#account, time, this.#lose)) {
      for (const event of this.#take(record, archivedElement))
        yield event.kind === 'part' ? { ...event, kind: 'archived' } : event;
    }
  }

  async *#parts(table: string, parts: PartsOf): AsyncGenerator<PortableEvent> {
    for (const record of await this.#all(table, this.#account)) yield* this.#take(record, parts);
  }

  /** The records of an owner. */
  async #all(table: string, owner: string): Promise<EjabberdRecord[]> {
    const records: EjabberdRecord[] = [];
    for await (const record of this.#tables.records(table, owner, this.#lose)) records.push(record);
    return records;
  }

  /** What was lost before, and the parts that `make` returns. */
  #take(record: EjabberdRecord, make: PartsOf): PortableEvent[] {
    let parts: readonly Element[] = [];
    try {
      parts = [make(record) ?? []].flat();
    } catch (error) {
      this.#lose(faultIn(error));
    }
    return [...this.#losses(), ...parts.map((element): PortableEvent => ({ kind: 'part', element }))];
  }

  #losses(): PortableEvent[] {
    return this.#lost.splice(0).map((what): PortableEvent => ({ kind: 'lost', what }));
  }

  readonly #lose = (what: string): void => {
    this.#lost.push(what);
  };
}
