/** The subscription states of a roster item (RFC 6121 §2.1.2.5). */
export type Subscription = 'none' | 'to' | 'from' | 'both';

/** The entry of one contact in the roster of an account. */
export interface RosterItem {
  readonly contact: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly subscription: Subscription;
  /** A request of the user waits for the contact's answer. */
  readonly ask: boolean;
  /** The contact's next request is pre-approved (RFC 6121 §3.4). */
  readonly approved: boolean;
  /** The subscribe stanza that waits for the user's answer (RFC 6121 §3.1.3). */
  readonly pendingIn?: Buffer | undefined;
  /** False for an item that only holds a pending request or a pre-approval, which clients do not see. */
  readonly inRoster: boolean;
  /** The roster version that last changed this item. */
  readonly version: number;
}

/** A roster item to write: the store sets its version. */
export type NewRosterItem = Omit<RosterItem, 'version'>;

/** The changes since the roster version that a client knows. */
export interface RosterChanges {
  readonly changed: RosterItem[];
  readonly removed: string[];
}

/** The rosters. A version only grows, even when an account is removed or a backup is restored. */
export interface RosterStore {
  /** Writes one item. Resolves with the roster's version, which stays the same if clients see no difference. */
  put(owner: string, item: NewRosterItem): Promise<number>;
  /** Removes one item if it exists. Resolves with the roster's version. */
  remove(owner: string, contact: string): Promise<number>;
  /** The changes that clients see since a version (RFC 6121 §2.6), or undefined if the whole roster must be sent. */
  changedSince(owner: string, version: number): Promise<RosterChanges | undefined>;
}
