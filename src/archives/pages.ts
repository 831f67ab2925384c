import type { Jid } from '../protocol/jid.ts';
import { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { ArchivedId, ArchivedMessage, ArchiveStore } from '../storage/archive.ts';
import type { Log } from '../support/log.ts';
import { parseFrame } from '../xml/parse-frame.ts';
import { XmlError } from '../xml/xml-error.ts';
import type { ArchiveQuery } from './query.ts';

/** Messages that are read at once when not all of them match, and the most that one query reads. */
const readAtOnce = 250;
const maxRead = 20_000;
/** Matching messages up to which they are counted with every page. */
const maxCounted = 10_000;

/** A message as its archive has it. */
export interface FoundMessage extends ArchivedId {
  readonly message: Stanza;
}

/** The answer to a query, in the order of the archive. */
export interface Page {
  readonly messages: readonly FoundMessage[];
  /** Nothing is left in the direction of the query. */
  readonly complete: boolean;
  /** How many messages match on all pages, if that is known. */
  readonly count: number | undefined;
}

/** Dependencies of finding pages. */
interface PagesDeps {
  readonly store: Pick<ArchiveStore, 'page' | 'find' | 'count'>;
  readonly log: Log;
}

/** Finds the pages that queries ask for. */
export class Pages {
  readonly #deps: PagesDeps;

  constructor(deps: PagesDeps) {
    this.#deps = deps;
  }

  /** The page that the owner of an archive asks for. Throws `item-not-found` if a message that is asked for by its id is missing. */
  async find(archive: number, owner: Jid, query: ArchiveQuery): Promise<Page> {
    if (query.ids) return this.#amongIds(archive, owner, query, query.ids);
    const { with: peer } = query;
    return peer && !peer.isBare ? this.#ofResource(archive, owner, query, peer) : this.#ofPeer(archive, query, peer);
  }

  /** The messages with these ids that are in an archive, oldest first. */
  async withIds(archive: number, ids: readonly number[]): Promise<readonly FoundMessage[]> {
    const inOrder = [...new Set(ids)].sort((one, other) => one - other);
    return this.#readAll(await this.#deps.store.find(archive, inOrder));
  }

  /** All that is asked for is in the index. */
  async #ofPeer(archive: number, query: ArchiveQuery, peer: Jid | undefined): Promise<Page> {
    const { store } = this.#deps;
    const { which, max, all } = query;
    const exchangedWith = peer && { peer: peer.toString() };
    if (max === 0) {
      const count = await store.count(archive, { ...all, ...exchangedWith }, Number.MAX_SAFE_INTEGER);
      return { messages: [], complete: count === 0, count };
    }
    const range = { ...query.page, ...exchangedWith };
    // In one turn, so that both are about the same messages.
    const [found, count] = await Promise.all([
      store.page(archive, range, max + 1, which),
      store.count(archive, { ...all, ...exchangedWith }, maxCounted + 1),
    ]);
    const complete = found.length <= max;
    const page = complete ? found : which === 'first' ? found.slice(0, max) : found.slice(1);
    return { messages: this.#readAll(page), complete, count: count <= maxCounted ? count : undefined };
  }

  /** The index knows no resources. */
  async #ofResource(archive: number, owner: Jid, query: ArchiveQuery, peer: Jid): Promise<Page> {
    const { which, max } = query;
    const found: FoundMessage[] = [];
    let range = { ...(max === 0 ? query.all : query.page), peer: peer.bare().toString() };
    const wanted = max === 0 ? Number.POSITIVE_INFINITY : max + 1;
    for (let read = 0; read < maxRead; read += readAtOnce) {
      const rows = await this.#deps.store.page(archive, range, readAtOnce, which);
      const matching = this.#readAll(rows).filter(({ message }) => matches(message, peer, owner));
      if (which === 'first') found.push(...matching);
      else found.unshift(...matching);
      if (found.length >= wanted) return limited(found, query);
      if (rows.length < readAtOnce) return limited(found, query);
      range = which === 'first' ? { ...range, afterId: rows.at(-1)!.id } : { ...range, beforeId: rows[0]!.id };
    }
    if (found.length === 0) throw StanzaError.resourceConstraint('too many messages to look at: narrow the time');
    return { ...limited(found, query), complete: false, count: undefined };
  }

  async #amongIds(archive: number, owner: Jid, query: ArchiveQuery, ids: readonly number[]): Promise<Page> {
    const rows = await this.#deps.store.find(archive, ids);
    if (rows.length < ids.length) throw StanzaError.itemNotFound();
    const matching = ({ id, message }: FoundMessage, { afterId, beforeId }: ArchiveQuery['all']) =>
      id > afterId && id < beforeId && (!query.with || matches(message, query.with, owner));
    const all = this.#readAll(rows).filter((one) => matching(one, query.all));
    const inPage = all.filter((one) => matching(one, query.page));
    return { ...limited(inPage, query), count: all.length };
  }

  /** A message that cannot be read is left out: what comes behind it must be found. */
  #readAll(rows: readonly ArchivedMessage[]): FoundMessage[] {
    return rows.flatMap((row) => {
      const message = this.#read(row);
      return message ? [{ id: row.id, importedId: row.importedId, message }] : [];
    });
  }

  #read({ id, bytes }: ArchivedMessage): Stanza | undefined {
    try {
      return Stanza.fromFrame(parseFrame(bytes));
    } catch (error) {
      if (!(error instanceof XmlError || error instanceof StanzaError || error instanceof StreamError)) throw error;
      this.#deps.log.error({ err: error, id }, 'an archived message is damaged');
      return undefined;
    }
  }
}

/** The page out of all messages that may be in it. */
function limited(found: readonly FoundMessage[], { which, max }: ArchiveQuery): Page {
  const complete = found.length <= max;
  const messages = which === 'first' ? found.slice(0, max) : found.slice(Math.max(0, found.length - max));
  return { messages, complete, count: max === 0 ? found.length : undefined };
}

/** Whether a message of the owner was exchanged with an address; with the own one if it is a message to oneself (XEP-0313 §4.1.1). */
function matches({ from, to }: Stanza, peer: Jid, owner: Jid): boolean {
  const ends = [from, to].filter((end) => end !== undefined);
  if (peer.bare().equals(owner) && !ends.every((end) => end.bare().equals(owner))) return false;
  return ends.some((end) => (peer.isBare ? end.bare() : end).equals(peer));
}
