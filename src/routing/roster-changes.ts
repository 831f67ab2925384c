import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { Stanza } from '../protocol/stanza.ts';
import type { RosterItem, RosterStore } from '../storage/rosters.ts';
import { type Element, xml } from '../xml/element.ts';
import type { Account } from './account.ts';
import type { Roster } from './roster.ts';
import type { SessionDirectory } from './session-directory.ts';

/** The interest in roster pushes (RFC 6121 §2.1.6). */
export const rosterInterest = 'roster';

/** Changes rosters: in memory at once, then on disk, and when that is durable, in the interested clients (RFC 6121 §2.1.6). */
export class RosterChanges {
  readonly #store: Pick<RosterStore, 'put' | 'remove'>;
  readonly #sessions: SessionDirectory;

  constructor(store: Pick<RosterStore, 'put' | 'remove'>, sessions: SessionDirectory) {
    this.#store = store;
    this.#sessions = sessions;
  }

  /** Saves an item. Resolves when the item is durable and pushed; `beforePush` is called in between. */
  async save(account: Account, item: RosterItem, beforePush?: () => void): Promise<void> {
    const { roster, key } = account;
    const before = roster.get(item.contact);
    roster.set(item);
    const version = await this.#store.put(key, item).catch((error: unknown) => {
      if (roster.get(item.contact) === item) restore(roster, item.contact, before);
      throw error;
    });
    this.#advance(account, version);
    // The item may have been changed again or removed meanwhile.
    if (roster.get(item.contact) === item) roster.set({ ...item, version });
    beforePush?.();
    if (item.inRoster) this.#push(account, rosterItemElement(item), version);
  }

  /** Removes an item. Resolves when the removal is durable and pushed; `beforePush` is called in between. */
  async remove(account: Account, contact: string, beforePush?: () => void): Promise<void> {
    const { roster, key } = account;
    const before = roster.get(contact);
    roster.delete(contact);
    const version = await this.#store.remove(key, contact).catch((error: unknown) => {
      if (!roster.get(contact)) restore(roster, contact, before);
      throw error;
    });
    this.#advance(account, version);
    beforePush?.();
    if (before?.inRoster) this.#push(account, removedItemElement(contact), version);
  }

  #advance(account: Account, version: number): void {
    account.roster.version = Math.max(account.roster.version, version);
  }

  #push(account: Account, item: Element, version: number): void {
    const query = xml('query', { xmlns: ns.roster, ver: String(version) }, item);
    for (const session of this.#sessions.of(account.key)) {
      if (!session.interests.has(rosterInterest)) continue;
      session.send(Stanza.iq({ type: 'set', id: randomId(), to: session.jid, from: account.jid }, query));
    }
  }
}

/** Restores an item in memory after a write has failed. */
function restore(roster: Roster, contact: string, before: RosterItem | undefined): void {
  if (before) roster.set(before);
  else roster.delete(contact);
}

/** The `<item/>` of a roster result or push (RFC 6121 §2.1.2). */
export function rosterItemElement(item: RosterItem): Element {
  return xml(
    'item',
    {
      xmlns: ns.roster,
      jid: item.contact,
      name: item.name || undefined,
      subscription: item.subscription,
      ask: item.ask ? 'subscribe' : undefined,
      approved: item.approved ? 'true' : undefined,
    },
    ...item.groups.map((group) => xml('group', { xmlns: ns.roster }, group)),
  );
}

/** The `<item/>` that pushes a removal (RFC 6121 §2.5.2). */
export function removedItemElement(contact: string): Element {
  return xml('item', { xmlns: ns.roster, jid: contact, subscription: 'remove' });
}
