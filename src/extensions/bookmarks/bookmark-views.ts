import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { pubsubError } from '../../protocol/pubsub.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { NodeChange, NodeItem, NodeView, PersonalNodes } from '../../routing/personal-nodes.ts';
import type { PrivateXmlStore } from '../../storage/private-xml.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Log } from '../../support/log.ts';
import { type Element, xml } from '../../xml/element.ts';
import { parseElement } from '../../xml/parse-element.ts';
import { serialize } from '../../xml/serialize.ts';
import {
  areSameElements,
  type Bookmark,
  bookmarkIn,
  bookmarkPayload,
  isSameBookmark,
  type KeptBookmark,
  type LegacyStorage,
  mergedElements,
  readStorage,
  storageElement,
} from './conference.ts';

/** Dependencies of the views of bookmarks. */
interface BookmarkViewsDeps {
  readonly nodes: PersonalNodes;
  readonly store: Pick<PrivateXmlStore, 'get' | 'set'>;
  readonly accounts: { get(jid: Jid): MaybePromise<Account | undefined> };
  readonly log: Log;
}

/** The item of the view in PEP (XEP-0048 §4). */
const itemId = 'current';
/** Bytes of what a client stores with its bookmarks, apart from the bookmarks. */
const maxRestBytes = 131_072;
const empty: LegacyStorage = { bookmarks: [], rest: [] };

/**
 * Shows the bookmarks of an account in the two forms of XEP-0048: as a node of PEP and as private XML. The items of XEP-0402 are the only
 * copy; private XML keeps what these cannot express.
 */
export class BookmarkViews implements NodeView {
  readonly #deps: BookmarkViewsDeps;

  constructor(deps: BookmarkViewsDeps) {
    this.#deps = deps;
  }

  async read(account: Account): Promise<readonly NodeItem[]> {
    const storage = await this.#storage(account);
    return storage ? [{ id: itemId, payload: serialize(storage) }] : [];
  }

  /** Throws `bad-request` if the payload does not have the form of XEP-0048. */
  async write(account: Account, payload: string): Promise<string> {
    const written = readStorage(parseElement(payload));
    if (!written) throw pubsubError('bad-request', 'invalid-payload');
    await this.#replace(account, written);
    return itemId;
  }

  /** Private XML with bookmarks in it; everything else comes from the store, and goes there. */
  get privateXml(): Pick<PrivateXmlStore, 'get' | 'set'> {
    const { store } = this.#deps;
    const isView = (name: string, space: string) => name === 'storage' && space === ns.legacyBookmarks;
    return {
      get: async (owner, name, space) => {
        const account = isView(name, space) && (await this.#account(owner));
        if (!account) return store.get(owner, name, space);
        const storage = await this.#storage(account);
        return storage && serialize(storage);
      },
      set: async (owner, name, space, text, maxBytes) => {
        const written = isView(name, space) ? readStorage(parseElement(text)) : undefined;
        const account = written && (await this.#account(owner));
        if (!account) return store.set(owner, name, space, text, maxBytes);
        await this.#replace(account, written);
      },
    };
  }

  /** Tells those who want the old form that the bookmarks have changed. */
  async announce(account: Account): Promise<void> {
    const storage = (await this.#storage(account)) ?? storageElement([], []);
    this.#deps.nodes.announce(account, ns.legacyBookmarks, { id: itemId, payload: serialize(storage) });
  }

  /** Turns bookmarks that were stored as private XML, for example by another server, into items. Bookmarks that exist win. */
  async convert(account: Account, { bookmarks, rest }: LegacyStorage): Promise<void> {
    await this.#deps.nodes.changeFrom(account, ns.bookmarks, (items) => {
      const known = new Set(keptIn(items).map(({ jid }) => jid));
      const missing = bookmarks.filter(({ jid }) => !known.has(jid));
      return missing.length === 0 ? undefined : { published: missing.map(newItem) };
    });
    await this.#setRest(account, rest);
  }

  /** The bookmarks that wait to be converted; nothing without any. */
  async unconverted(owner: string): Promise<LegacyStorage | undefined> {
    const stored = await this.#stored(owner);
    return stored.bookmarks.length > 0 ? stored : undefined;
  }

  async #replace(account: Account, { bookmarks, rest }: LegacyStorage): Promise<void> {
    const before = (await this.#stored(account.key)).rest;
    const isSameRest = areSameElements(before, rest);
    // The changed items are announced as a change of their node.
    let changesItems = false;
    await this.#deps.nodes.changeFrom(account, ns.bookmarks, (items) => {
      const change = difference(keptIn(items), bookmarks);
      changesItems = change !== undefined;
      return change;
    });
    if (isSameRest) return;
    await this.#setRest(account, rest);
    if (!changesItems) this.inBackground(this.announce(account));
  }

  /** Nothing if the account has never stored anything. */
  async #storage(account: Account): Promise<Element | undefined> {
    const items = await this.#deps.nodes.items(account, ns.bookmarks);
    const { rest } = await this.#stored(account.key);
    const bookmarks = keptIn(items);
    return bookmarks.length === 0 && rest.length === 0 ? undefined : storageElement(bookmarks, rest);
  }

  async #stored(owner: string): Promise<LegacyStorage> {
    const text = await this.#deps.store.get(owner, 'storage', ns.legacyBookmarks);
    return (text === undefined ? undefined : readStorage(parseElement(text))) ?? empty;
  }

  async #setRest(account: Account, rest: readonly Element[]): Promise<void> {
    const text = serialize(xml('storage', { xmlns: ns.legacyBookmarks }, ...rest));
    await this.#deps.store.set(account.key, 'storage', ns.legacyBookmarks, text, maxRestBytes);
  }

  #account(owner: string): MaybePromise<Account | undefined> {
    return this.#deps.accounts.get(Jid.parse(owner));
  }

  /** Does what nobody waits for. */
  inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      // The account has no room, or the disk is full: it is tried again when the account is loaded next.
      if (error instanceof StanzaError || (error instanceof StorageError && error.isPassing)) return;
      this.#deps.log.error({ err: error }, 'the bookmarks of an account could not be converted or announced');
    });
  }
}

function keptIn(items: readonly NodeItem[]): readonly KeptBookmark[] {
  return items.flatMap((item) => bookmarkIn(item) ?? []);
}

function newItem(bookmark: Bookmark): NodeItem {
  return { id: bookmark.jid, payload: bookmarkPayload(bookmark) };
}

/** What a list in the old form changes. Bookmarks that are missing in it are removed (XEP-0402 §5.3.2). */
function difference(kept: readonly KeptBookmark[], written: readonly Bookmark[]): NodeChange | undefined {
  const before = new Map(kept.map((one) => [one.jid, one]));
  const published: NodeItem[] = [];
  for (const bookmark of written) {
    const old = before.get(bookmark.jid);
    before.delete(bookmark.jid);
    const others = old ? mergedElements(old.others, bookmark.others) : bookmark.others;
    if (old && isSameBookmark(old, bookmark) && areSameElements(old.others, others)) continue;
    published.push({ id: old?.item.id ?? bookmark.jid, payload: bookmarkPayload({ ...bookmark, others }) });
  }
  const retracted = Array.from(before.values(), ({ item }) => item.id);
  return published.length + retracted.length === 0 ? undefined : { published, retracted };
}
