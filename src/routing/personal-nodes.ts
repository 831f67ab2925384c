import type { Jid } from '../protocol/jid.ts';
import type { NodeConfig } from '../protocol/pubsub-config.ts';
import type { ItemSelection, PepItem } from '../storage/pep.ts';
import type { Account } from './account.ts';

/** An item of a node, with its payload as XML. */
export type NodeItem = Pick<PepItem, 'id' | 'payload'>;

/** A change of the items of one node. It is made completely or not at all. */
export interface NodeChange {
  /** Items to publish, in this order. */
  readonly published?: readonly NodeItem[];
  /** The ids of items to remove. */
  readonly retracted?: readonly string[];
  /** How the node differs from others of its kind, if the change creates it. */
  readonly config?: Partial<NodeConfig>;
}

/**
 * The nodes of accounts (XEP-0163), for extensions that keep data there. The changes of one account are made one after the other,
 * together with those that its clients request.
 */
export interface PersonalNodes {
  /** Items of a node as the changes requested so far leave them, in the order of publication. Without the node there are no items. */
  items(account: Account, node: string, selection?: ItemSelection): Promise<readonly NodeItem[]>;
  /** Whether somebody may have the items of an existing node. */
  mayRead(account: Account, node: string, reader: Jid): boolean;
  /**
   * Changes the items of a node, and notifies those who want that. Creates the node if necessary. Calls `make` when its turn has come; an
   * undefined change does nothing. Throws `resource-constraint` if the account has no room left.
   */
  change(account: Account, node: string, make: () => NodeChange | undefined): Promise<void>;
  /** As {@link change}, with the items that the node has when the turn has come. */
  changeFrom(
    account: Account,
    node: string,
    make: (items: readonly NodeItem[]) => NodeChange | undefined,
  ): Promise<void>;
  /** Notifies those who want the items of a view. */
  announce(account: Account, view: string, item: NodeItem): void;
}

/** A node that has no items of its own, but shows other data of the account to its owner. */
export interface NodeView {
  read(account: Account): Promise<readonly NodeItem[]>;
  /** Stores the payload that the owner publishes. Resolves with the id of its item. Throws StanzaError. */
  write(account: Account, payload: string): Promise<string>;
}

/** What an extension knows about one node of every account. */
export interface NodeHook {
  readonly node: string;
  /** The node was created or removed, or its items have changed. It is durable. */
  changed?(account: Account): void;
  readonly view?: NodeView;
}
