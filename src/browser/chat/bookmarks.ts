import { ns } from '../../protocol/namespaces.ts';
import { childOf, el, elementsOf, textOf, type XmlElement } from './element.ts';
import type { Session } from './session.ts';

/** A room to enter at each login (XEP-0402). */
interface Bookmark {
  readonly room: string;
  readonly nick: string | undefined;
}

/** The rooms to enter. */
export async function readBookmarks(session: Pick<Session, 'request'>): Promise<Bookmark[]> {
  const query = el(ns.pubsub, 'pubsub', {}, el(ns.pubsub, 'items', { node: ns.bookmarks }));
  const answer = await session.request('get', undefined, query);
  return bookmarksIn(childOf(childOf(answer, 'pubsub', ns.pubsub), 'items', ns.pubsub));
}

function bookmarksIn(items: XmlElement | undefined): Bookmark[] {
  return elementsOf(items).flatMap((item) => {
    const conference = childOf(item, 'conference', ns.bookmarks);
    const room = item.attributes['id'];
    const isEntered = ['true', '1'].includes(conference?.attributes['autojoin'] ?? '');
    if (!conference || room === undefined || !isEntered) return [];
    return { room, nick: textOf(childOf(conference, 'nick', ns.bookmarks)) || undefined };
  });
}

/** Lets all clients of the user enter a room. */
export async function addBookmark(session: Pick<Session, 'request'>, { room, nick }: Bookmark): Promise<void> {
  const conference = el(
    ns.bookmarks,
    'conference',
    { autojoin: 'true' },
    nick === undefined ? undefined : el(ns.bookmarks, 'nick', {}, nick),
  );
  const publish = el(ns.pubsub, 'publish', { node: ns.bookmarks }, el(ns.pubsub, 'item', { id: room }, conference));
  await session.request('set', undefined, el(ns.pubsub, 'pubsub', {}, publish));
}

/** Forgets a room. */
export async function removeBookmark(session: Pick<Session, 'request'>, room: string): Promise<void> {
  const retract = el(ns.pubsub, 'retract', { node: ns.bookmarks, notify: 'true' }, el(ns.pubsub, 'item', { id: room }));
  await session.request('set', undefined, el(ns.pubsub, 'pubsub', {}, retract));
}
