import type { Jid } from '../protocol/jid.ts';
import type { RosterItem } from '../storage/rosters.ts';

/** An account's contacts, in memory, keyed by the contact's JID. */
export class Roster {
  readonly #items = new Map<string, RosterItem>();
  #wordLength = 0;
  /** Grows with every change (RFC 6121 §2.6). */
  version: number;

  constructor(items: readonly RosterItem[], version: number) {
    for (const item of items) this.set(item);
    this.version = version;
  }

  get(contact: string): RosterItem | undefined {
    return this.#items.get(contact);
  }

  /** The item of a contact, or a blank item that is not in the roster. */
  getOrBlank(contact: string): RosterItem {
    return this.#items.get(contact) ?? blankItem(contact);
  }

  set(item: RosterItem): void {
    this.#wordLength += wordLength(item) - wordLength(this.#items.get(item.contact));
    this.#items.set(item.contact, item);
  }

  delete(contact: string): void {
    this.#wordLength -= wordLength(this.#items.get(contact));
    this.#items.delete(contact);
  }

  /** All items, including those that only record a pending request or a pre-approval. */
  all(): IterableIterator<RosterItem> {
    return this.#items.values();
  }

  /** The items that clients see: without mere pending requests (RFC 6121 §3.1.3) and pre-approvals (§3.4). */
  *visible(): IterableIterator<RosterItem> {
    for (const item of this.#items.values()) if (item.inRoster) yield item;
  }

  /** The number of items that clients see. */
  get visibleCount(): number {
    let count = 0;
    for (const item of this.#items.values()) if (item.inRoster) count += 1;
    return count;
  }

  /** The characters in the names and groups of all contacts. */
  get wordLength(): number {
    return this.#wordLength;
  }

  /** The number of items, including hidden ones. */
  get size(): number {
    return this.#items.size;
  }

  /** Whether the contact may see the owner's presence: subscription 'from' or 'both'. */
  isSubscriber(contact: Jid): boolean {
    const subscription = this.#items.get(contact.bare().toString())?.subscription;
    return subscription === 'from' || subscription === 'both';
  }
}

/** A hidden item without a subscription. */
export function blankItem(contact: string): RosterItem {
  return {
    contact,
    name: '',
    groups: [],
    subscription: 'none',
    ask: false,
    approved: false,
    version: 0,
    inRoster: false,
  };
}

/** The characters of `<group/>` around the name of a group. */
const tagLength = 15;

/** The characters in the name and groups of an item, as they are written. */
export function wordLength(item: Pick<RosterItem, 'name' | 'groups'> | undefined): number {
  if (!item) return 0;
  let length = item.name.length;
  for (const group of item.groups) length += group.length + tagLength;
  return length;
}
