/** A node of an account (XEP-0163). */
export interface PepNodeRecord {
  readonly name: string;
  /** Its configuration, as JSON. */
  readonly config: string;
  readonly createdAtMs: number;
}

/** An item that a node keeps. */
export interface PepItem {
  readonly id: string;
  readonly publishedAtMs: number;
  /** Its payload, as XML. */
  readonly payload: string;
}

/** A node, by its owner and its name. */
export interface PepNodeAddress {
  readonly owner: string;
  readonly node: string;
}

/** Who has subscribed to which node. */
export interface PepSubscription {
  readonly node: string;
  readonly jid: string;
}

/** What one publication does. */
export interface Publication {
  /** Creates the node first if it does not exist. */
  readonly create?: PepNodeRecord;
  /** The items to keep, in this order. */
  readonly items?: readonly PepItem[];
  /** The ids of items to remove. */
  readonly removed?: readonly string[];
  /** How many items the node keeps: the oldest are removed. At least 1. */
  readonly maxItems: number;
  /** Bytes that all nodes of the account may hold together. */
  readonly maxBytes: number;
}

/** Which items of a node are wanted. */
export interface ItemSelection {
  /** The newest of them only. */
  readonly newest?: number;
  /** Those with one of these ids only. */
  readonly ids?: readonly string[];
}

/**
 * The nodes of accounts, their items and their subscribers. Items are in the order of publication; an item that is published again moves
 * to the end. Changes of a node that does not exist reject with `not-found`.
 */
export interface PepStore {
  nodes(owner: string): Promise<PepNodeRecord[]>;
  /** Rejects with `conflict` if the node exists. */
  create(owner: string, node: PepNodeRecord): Promise<void>;
  configure(owner: string, node: string, config: string): Promise<void>;
  /** Resolves with the subscribers of the node. Rejects with `quota` if the items of the account are too large together. */
  publish(owner: string, node: string, publication: Publication): Promise<string[]>;
  /** Removes an item; resolves with the subscribers of the node, or with nothing if the node does not have the item. */
  retract(owner: string, node: string, item: string): Promise<string[] | undefined>;
  /** Removes all items; resolves with the subscribers of the node. */
  purge(owner: string, node: string): Promise<string[]>;
  /** Removes the node; resolves with those who were its subscribers. */
  remove(owner: string, node: string): Promise<string[]>;
  items(owner: string, node: string, selection: ItemSelection): Promise<PepItem[]>;
  itemIds(owner: string, node: string): Promise<string[]>;
  /** The last item of each node; nothing for one that has no items. */
  lastItems(nodes: readonly PepNodeAddress[]): Promise<(PepItem | undefined)[]>;
  subscribers(owner: string, node: string): Promise<string[]>;
  /** The subscriptions of a bare JID and its resources to nodes of an owner. */
  subscriptions(owner: string, jid: string): Promise<PepSubscription[]>;
  /** Adds a subscriber. Rejects with `quota` if the node has as many as it may have. */
  subscribe(owner: string, node: string, jid: string, maxSubscribers: number): Promise<void>;
  /** Resolves with whether the node had this subscriber. */
  unsubscribe(owner: string, node: string, jid: string): Promise<boolean>;
  /** Ends all subscriptions of an address, and of its resources if it is bare, to the nodes of an owner. */
  unsubscribeAll(jid: string, owner: string): Promise<void>;
  /**
   * Ends all subscriptions of a bare JID and its resources, and removes it from the `members` in all configurations. Resolves with the
   * nodes that had it as a member.
   */
  forget(jid: string): Promise<PepNodeAddress[]>;
  /** The nodes that clients with these capabilities want events of; nothing if the capabilities are unknown. */
  wantedNodes(caps: string): Promise<string[] | undefined>;
  /** Remembers them; the oldest give way. */
  rememberWantedNodes(caps: string, nodes: readonly string[]): Promise<void>;
}
