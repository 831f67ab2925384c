import { ns } from '../../protocol/namespaces.ts';
import { bareOf } from './address.ts';
import { randomId } from './base64.ts';
import { childOf, el, type XmlElement } from './element.ts';
import { forwardedIn } from './receive.ts';
import type { Session } from './session.ts';

/** Part of an archive to read (XEP-0313 §4). */
interface Page {
  /** The room whose archive it is; the archive of the user otherwise. */
  readonly room?: string;
  /** Only messages with this address. */
  readonly with?: string;
  /** Only messages before the one with this id; '' are the last ones. */
  readonly before?: string;
  /** Only messages after the one with this id. */
  readonly after?: string;
  /** The number of messages; 100 by default. */
  readonly max?: number;
}

/** A message of an archive. */
export interface Archived {
  readonly archiveId: string;
  readonly message: XmlElement;
  readonly atMs: number;
}

/** Messages of an archive, oldest first, and whether there are no more in that direction. */
interface Found {
  readonly messages: readonly Archived[];
  readonly complete: boolean;
}

/** Receipts and marks are in the archive, too. */
const pageSize = 100;

/** Reads archives. */
export class History {
  readonly #session: Pick<Session, 'request' | 'jid'>;
  /** What has come for the queries under way, by their ids. */
  readonly #queries = new Map<string, Archived[]>();

  constructor(session: Pick<Session, 'request' | 'jid'>) {
    this.#session = session;
  }

  /** Takes a message that belongs to the answer of a query. Returns whether it was one; only the archive that was asked counts. */
  take(stanza: XmlElement): boolean {
    const result = childOf(stanza, 'result', ns.archive);
    if (!result) return false;
    const { queryid = '', id: archiveId = '' } = result.attributes;
    const found = forwardedIn(result);
    const query = this.#queries.get(this.#key(stanza.attributes['from'], queryid));
    if (found && query) query.push({ archiveId, message: found.message, atMs: found.atMs ?? 0 });
    return true;
  }

  /** Reads a page. Rejects with `RequestFailed`. */
  async read({ room, with: peer, before, after, max = pageSize }: Page): Promise<Found> {
    const queryid = randomId();
    const key = this.#key(room, queryid);
    const messages: Archived[] = [];
    this.#queries.set(key, messages);
    const set = el(
      ns.resultSet,
      'set',
      {},
      el(ns.resultSet, 'max', {}, String(max)),
      before === undefined ? undefined : el(ns.resultSet, 'before', {}, before),
      after === undefined ? undefined : el(ns.resultSet, 'after', {}, after),
    );
    const query = el(ns.archive, 'query', { queryid }, peer === undefined ? undefined : formWith(peer), set);
    try {
      const answer = await this.#session.request('set', room, query);
      const fin = childOf(answer, 'fin', ns.archive);
      return { messages, complete: fin?.attributes['complete'] === 'true' };
    } finally {
      this.#queries.delete(key);
    }
  }

  /** Reads on from a message to the end. */
  async *readAfter(page: Page & { readonly after: string }): AsyncGenerator<readonly Archived[]> {
    let { after } = page;
    for (let count = 0; count < mostPages; count++) {
      const { messages, complete } = await this.read({ ...page, after });
      yield messages;
      const last = messages.at(-1);
      if (complete || !last) return;
      after = last.archiveId;
    }
  }

  #key(archive: string | undefined, queryid: string): string {
    return `${archive ?? bareOf(this.#session.jid)} ${queryid}`;
  }
}

/** After a long absence, the rest is read when the user scrolls back. */
const mostPages = 20;

function formWith(peer: string): XmlElement {
  const field = (name: string, value: string, type?: string) =>
    el(ns.dataForm, 'field', { var: name, type }, el(ns.dataForm, 'value', {}, value));
  return el(ns.dataForm, 'x', { type: 'submit' }, field('FORM_TYPE', ns.archive, 'hidden'), field('with', peer));
}
