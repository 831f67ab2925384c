import type { Page } from '../../archives/pages.ts';
import type { ArchiveQuery } from '../../archives/query.ts';
import type { Session } from '../../routing/session.ts';
import type { ArchiveStore } from '../../storage/archive.ts';
import type { ArchivedIds } from '../../storage/offline.ts';

/**
 * The sessions whose clients get their missed messages from the archive, and up to which of them. Sessions of before a restart are not
 * among them: they get all stored messages.
 */
export class ArchiveReaders {
  readonly #store: Pick<ArchiveStore, 'newId'>;
  readonly #readBefore = new WeakMap<Session, number>();

  constructor(store: Pick<ArchiveStore, 'newId'>) {
    this.#store = store;
  }

  /** The client reads everything that was archived before now by itself. */
  add(session: Session): void {
    this.#readBefore.set(session, this.#store.newId());
  }

  /** The client reads messages with smaller ids by itself. */
  readsBefore(session: Session): number | undefined {
    return this.#readBefore.get(session);
  }
}

/** Whether a query is for everything that its client has missed, and not for a conversation or single messages. */
export function isForAll({ with: peer, ids, max }: ArchiveQuery): boolean {
  return peer === undefined && ids === undefined && max > 0;
}

/** The messages that a client has when it has read a page: with one for all conversations, also the earlier messages. */
export function knownAfter({ messages }: Page, query: ArchiveQuery): ArchivedIds {
  const last = messages.at(-1);
  return last && isForAll(query) ? { upToId: last.id } : { ids: messages.map(({ id }) => id) };
}
