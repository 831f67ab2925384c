/** The subscription states of a roster item (RFC 6121 §2.1.2.5). */
export type Subscription = 'none' | 'to' | 'from' | 'both';

/** What one account knows about one contact. */
export interface RosterItem {
  readonly contact: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly subscription: Subscription;
  /** Our own request waits for the contact's answer. */
  readonly ask: boolean;
  /** The contact's next request is already granted (RFC 6121 §3.4). */
  readonly approved: boolean;
  /** The subscribe stanza that waits for the user's answer (RFC 6121 §3.1.3). */
  readonly pendingIn?: Buffer | undefined;
  /** False for an item that only holds a pending request or a pre-approval: clients are not shown it. */
  readonly inRoster: boolean;
  /** The roster version that last changed this item. */
  readonly version: number;
}

/** A roster item as it is written: the store gives it its version. */
export type NewRosterItem = Omit<RosterItem, 'version'>;

/** What a client that knows an older roster version has missed. */
export interface RosterChanges {
  readonly changed: RosterItem[];
  readonly removed: string[];
}

/** The rosters. A version only grows, also over an account's removal and over the restoring of a backup. */
export interface RosterStore {
  /** Writes one item; resolves with the roster's version, which stays as it was if clients see no difference. */
  put(owner: string, item: NewRosterItem): Promise<number>;
  /** Removes one item if it is there; resolves with the roster's version. */
  remove(owner: string, contact: string): Promise<number>;
  /** The changes that clients see since a version (RFC 6121 §2.6), or undefined if only the whole roster can tell them. */
  changedSince(owner: string, version: number): Promise<RosterChanges | undefined>;
}
