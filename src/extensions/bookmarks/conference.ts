import { jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { NodeItem } from '../../routing/personal-nodes.ts';
import { attribute, childElements, type Element, nsOf, textOf, xml } from '../../xml/element.ts';
import { parseElement } from '../../xml/parse-element.ts';
import { serialize } from '../../xml/serialize.ts';

/** A bookmark of a room, as XEP-0402 and XEP-0048 both describe it. */
export interface Bookmark {
  /** The bare JID of the room. */
  readonly jid: string;
  readonly name: string;
  readonly autojoin: boolean;
  readonly nick: string;
  readonly password: string;
  /** `<extensions/>`, and elements that neither specification knows. */
  readonly others: readonly Element[];
}

/** A bookmark and the item that it is kept in. */
export interface KeptBookmark extends Bookmark {
  readonly item: NodeItem;
}

/** What a client stores as bookmarks in the form of XEP-0048. */
export interface LegacyStorage {
  /** One for each room. */
  readonly bookmarks: readonly Bookmark[];
  /** Everything else, such as `<url/>` and bookmarks with an invalid address. */
  readonly rest: readonly Element[];
}

/** The bookmark in an item (XEP-0402 §3); nothing if the item is not a bookmark. */
export function bookmarkIn(item: NodeItem): KeptBookmark | undefined {
  const element = parseElement(item.payload);
  const bookmark = isConference(element, ns.bookmarks) ? readBookmark(element, item.id) : undefined;
  return bookmark && { ...bookmark, item };
}

/** The payload of a bookmark (XEP-0402 §3). */
export function bookmarkPayload(bookmark: Bookmark): string {
  return serialize(conference(ns.bookmarks, {}, bookmark));
}

/** A `<storage/>` with bookmarks and other elements (XEP-0048 §3). */
export function storageElement(bookmarks: readonly Bookmark[], rest: readonly Element[]): Element {
  const conferences = bookmarks.map((one) => conference(ns.legacyBookmarks, { jid: one.jid }, one));
  return xml('storage', { xmlns: ns.legacyBookmarks }, ...conferences, ...rest);
}

/** Reads a `<storage/>`; nothing if the element is another one. Of two bookmarks of one room the first counts. */
export function readStorage(element: Element): LegacyStorage | undefined {
  if (element.getName() !== 'storage' || nsOf(element) !== ns.legacyBookmarks) return undefined;
  const bookmarks = new Map<string, Bookmark>();
  const rest: Element[] = [];
  for (const child of childElements(element)) {
    const isRoom = isConference(child, ns.legacyBookmarks);
    const bookmark = isRoom ? readBookmark(child, attribute(child, 'jid')) : undefined;
    if (!bookmark) rest.push(detached(child));
    else if (!bookmarks.has(bookmark.jid)) bookmarks.set(bookmark.jid, bookmark);
  }
  return { bookmarks: [...bookmarks.values()], rest };
}

/** Whether both say the same to a client that knows XEP-0048 only. */
export function isSameBookmark(a: Bookmark, b: Bookmark): boolean {
  return a.name === b.name && a.autojoin === b.autojoin && a.nick === b.nick && a.password === b.password;
}

/** The elements of a bookmark after a client that may not know them has written some of them again. */
export function mergedElements(before: readonly Element[], written: readonly Element[]): readonly Element[] {
  const isWritten = (one: Element) =>
    written.some((other) => other.getName() === one.getName() && nsOf(other) === nsOf(one));
  return [...before.filter((one) => !isWritten(one)), ...written];
}

/** Whether two lists of elements are written in the same way, in any order. */
export function areSameElements(a: readonly Element[], b: readonly Element[]): boolean {
  const texts = (elements: readonly Element[]) => elements.map((one) => serialize(one)).sort();
  const [left, right] = [texts(a), texts(b)];
  return left.length === right.length && left.every((text, at) => text === right[at]);
}

function isConference(element: Element, namespace: string): boolean {
  return element.getName() === 'conference' && nsOf(element) === namespace;
}

function readBookmark(element: Element, address: string | undefined): Bookmark | undefined {
  const jid = jidOrNothing(address);
  if (!jid?.isBare) return undefined;
  const own = nsOf(element);
  const texts = { nick: '', password: '' };
  const others: Element[] = [];
  for (const child of childElements(element)) {
    const name = child.getName();
    if (nsOf(child) === own && (name === 'nick' || name === 'password')) texts[name] = textOf(child);
    else others.push(detached(child));
  }
  const autojoin = ['1', 'true'].includes(attribute(element, 'autojoin') ?? '');
  return { jid: jid.toString(), name: attribute(element, 'name') ?? '', autojoin, ...texts, others };
}

function conference(xmlns: string, address: { readonly jid?: string }, bookmark: Bookmark): Element {
  const { name, autojoin, nick, password, others } = bookmark;
  return xml(
    'conference',
    { xmlns, ...address, name: name || undefined, autojoin: autojoin || undefined },
    nick === '' ? undefined : xml('nick', {}, nick),
    password === '' ? undefined : xml('password', {}, password),
    ...others.map(detached),
  );
}

/** A copy without a parent, which keeps the namespaces that it inherits. */
function detached(element: Element): Element {
  return parseElement(serialize(element));
}
