import { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { ArchivedId, ArchivedMessage, ArchiveRange } from '../storage/archive.ts';
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

/** A row of an archive whose message has been read. */
type Found<Row extends ArchivedMessage> = Omit<Row, 'bytes'> & FoundMessage;

/** Which messages of an archive are asked for, apart from their ids. */
export interface PageFilter<Message = FoundMessage> {
  /** The bare JID by which the index finds them. */
  readonly peer?: string;
  /** All that the index finds match. */
  readonly isExact: boolean;
  readonly matches: (message: Message) => boolean;
}

/** The answer to a query, in the order of the archive. */
export interface Page<Message extends FoundMessage = FoundMessage> {
  readonly messages: readonly Message[];
  /** Nothing is left in the direction of the query. */
  readonly complete: boolean;
  /** How many messages match on all pages, if that is known. */
  readonly count: number | undefined;
}

/** A store with archives, as far as pages need it. */
interface PagesStore<Row extends ArchivedMessage> {
  page(archive: number, range: ArchiveRange, limit: number, which: 'first' | 'last'): Promise<Row[]>;
  find(archive: number, ids: readonly number[]): Promise<Row[]>;
  count(archive: number, range: ArchiveRange, most: number): Promise<number>;
}

/** Dependencies of finding pages. */
interface PagesDeps<Row extends ArchivedMessage> {
  readonly store: PagesStore<Row>;
  readonly log: Log;
}

/** Finds the pages that queries ask for. */
export class Pages<Row extends ArchivedMessage = ArchivedMessage> {
  readonly #deps: PagesDeps<Row>;

  constructor(deps: PagesDeps<Row>) {
    this.#deps = deps;
  }

  /** The page that somebody asks for. Throws `item-not-found` if a message that is asked for by its id is missing. */
  async find(archive: number, query: ArchiveQuery, filter?: PageFilter<Found<Row>>): Promise<Page<Found<Row>>> {
    if (query.ids) return this.#amongIds(archive, query, query.ids, filter);
    return !filter || filter.isExact
      ? this.#indexed(archive, query, filter?.peer)
      : this.#filtered(archive, query, filter);
  }

  /** The messages with these ids that are in an archive, oldest first. */
  async withIds(archive: number, ids: readonly number[]): Promise<readonly Found<Row>[]> {
    const inOrder = [...new Set(ids)].sort((one, other) => one - other);
    return this.#readAll(await this.#deps.store.find(archive, inOrder));
  }

  /** All that is asked for is in the index. */
  async #indexed(archive: number, query: ArchiveQuery, peer: string | undefined): Promise<Page<Found<Row>>> {
    const { store } = this.#deps;
    const { which, max, all } = query;
    const ofPeer = peer === undefined ? {} : { peer };
    if (max === 0) {
      const count = await store.count(archive, { ...all, ...ofPeer }, Number.MAX_SAFE_INTEGER);
      return { messages: [], complete: count === 0, count };
    }
    const range = { ...query.page, ...ofPeer };
    // In one turn, so that both are about the same messages.
    const [found, count] = await Promise.all([
      store.page(archive, range, max + 1, which),
      store.count(archive, { ...all, ...ofPeer }, maxCounted + 1),
    ]);
    const complete = found.length <= max;
    const page = complete ? found : which === 'first' ? found.slice(0, max) : found.slice(1);
    return { messages: this.#readAll(page), complete, count: count <= maxCounted ? count : undefined };
  }

  /** The index finds messages that do not match, too. */
  async #filtered(
    archive: number,
    query: ArchiveQuery,
    { peer, matches }: PageFilter<Found<Row>>,
  ): Promise<Page<Found<Row>>> {
    const { which, max } = query;
    const found: Found<Row>[] = [];
    let range: ArchiveRange = { ...(max === 0 ? query.all : query.page), ...(peer !== undefined && { peer }) };
    const wanted = max === 0 ? Number.POSITIVE_INFINITY : max + 1;
    for (let read = 0; read < maxRead; read += readAtOnce) {
      const rows = await this.#deps.store.page(archive, range, readAtOnce, which);
      const matching = this.#readAll(rows).filter(matches);
      if (which === 'first') found.push(...matching);
      else found.unshift(...matching);
      if (found.length >= wanted) return limited(found, query);
      if (rows.length < readAtOnce) return limited(found, query);
      range = which === 'first' ? { ...range, afterId: rows.at(-1)!.id } : { ...range, beforeId: rows[0]!.id };
    }
    if (found.length === 0) throw StanzaError.resourceConstraint('too many messages to look at: narrow the time');
    return { ...limited(found, query), complete: false, count: undefined };
  }

  async #amongIds(
    archive: number,
    query: ArchiveQuery,
    ids: readonly number[],
    filter: PageFilter<Found<Row>> | undefined,
  ): Promise<Page<Found<Row>>> {
    const rows = await this.#deps.store.find(archive, ids);
    if (rows.length < ids.length) throw StanzaError.itemNotFound();
    const matching = (found: Found<Row>, { afterId, beforeId }: ArchiveQuery['all']) =>
      found.id > afterId && found.id < beforeId && (filter?.matches(found) ?? true);
    const all = this.#readAll(rows).filter((one) => matching(one, query.all));
    const inPage = all.filter((one) => matching(one, query.page));
    return { ...limited(inPage, query), count: all.length };
  }

  /** A message that cannot be read is left out: what comes behind it must be found. */
  #readAll(rows: readonly Row[]): Found<Row>[] {
    return rows.flatMap(({ bytes, ...row }) => {
      const message = this.read({ ...row, bytes });
      return message ? [{ ...row, message }] : [];
    });
  }

  /** The message of a row; undefined if it is damaged, which is logged. */
  read({ id, bytes }: Pick<ArchivedMessage, 'id' | 'bytes'>): Stanza | undefined {
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
function limited<Message extends FoundMessage>(found: readonly Message[], { which, max }: ArchiveQuery): Page<Message> {
  const complete = found.length <= max;
  const messages = which === 'first' ? found.slice(0, max) : found.slice(Math.max(0, found.length - max));
  return { messages, complete, count: max === 0 ? found.length : undefined };
}
