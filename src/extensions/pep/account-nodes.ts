import { defaultNodeConfig, type NodeConfig } from '../../protocol/pubsub-config.ts';
import type { Account } from '../../routing/account.ts';
import { AccountSlot } from '../../routing/account-slot.ts';
import type { MaybePromise } from '../../routing/maybe-promise.ts';
import type { PepNodeRecord, PepStore } from '../../storage/pep.ts';
import { initialConfig, isPrivate } from './known-nodes.ts';
import type { NodeHooks } from './node-hooks.ts';

/** A node of an account. Every publication and every change makes a new object of it. */
export interface PepNode {
  readonly name: string;
  readonly config: NodeConfig;
  /** The bare JIDs that a whitelist lets in, besides the owner. */
  readonly members: readonly string[];
  readonly createdAtMs: number;
}

type PepNodes = ReadonlyMap<string, PepNode>;

/** One for all accounts without nodes. */
const none: PepNodes = new Map();

/** The nodes of the accounts in memory, and the order of their changes. */
export class AccountNodes {
  /** Read together with every account. */
  readonly slot: AccountSlot<PepNodes>;
  readonly #hooks: NodeHooks;
  /** The end of the last change of each account that is being changed. */
  readonly #changing = new WeakMap<Account, Promise<unknown>>();

  constructor(store: Pick<PepStore, 'nodes'>, hooks: NodeHooks) {
    this.#hooks = hooks;
    this.slot = new AccountSlot(async (key) => {
      const records = await store.nodes(key);
      return records.length === 0 ? none : new Map(records.map((record) => [record.name, readNode(record)]));
    });
  }

  /** The nodes that have items of their own. */
  of(account: Account): PepNodes {
    return this.slot.of(account);
  }

  /** The node with a name. Every account has all views. */
  find(account: Account, name: string): PepNode | undefined {
    return this.#hooks.view(name) ? viewNode(name) : this.of(account).get(name);
  }

  /** The items of a node have changed, or the node is new. */
  set(account: Account, node: PepNode): void {
    this.configure(account, node);
    this.#hooks.changed(account, node.name);
  }

  /** The configuration of a node has changed. */
  configure(account: Account, node: PepNode): void {
    this.slot.set(account, new Map(this.of(account)).set(node.name, node));
  }

  delete(account: Account, name: string): void {
    const left = new Map(this.of(account));
    left.delete(name);
    this.slot.set(account, left.size === 0 ? none : left);
    this.#hooks.changed(account, name);
  }

  /** Makes a change when all earlier changes of the account have ended, so that it sees what they have made. */
  change<Result>(account: Account, make: () => Promise<Result>): Promise<Result> {
    const before = this.#changing.get(account) ?? Promise.resolve();
    const made = before.then(make);
    const end = made
      .catch(() => undefined)
      .then(() => {
        if (this.#changing.get(account) === end) this.#changing.delete(account);
      });
    this.#changing.set(account, end);
    return made;
  }

  /** Resolves when the changes requested so far have ended. */
  settled(account: Account): MaybePromise<unknown> {
    return this.#changing.get(account);
  }
}

/** A view as a node: it is its owner's alone. */
export function viewNode(name: string): PepNode {
  return { name, config: initialConfig(name), members: [], createdAtMs: 0 };
}

/** A node as it is stored. */
export function nodeRecord({ name, config, members, createdAtMs }: PepNode): PepNodeRecord {
  const stored = members.length === 0 ? config : { ...config, members };
  return { name, config: JSON.stringify(stored), createdAtMs };
}

function readNode({ name, config, createdAtMs }: PepNodeRecord): PepNode {
  const { members = [], ...stored }: Partial<NodeConfig & PepNode> = JSON.parse(config);
  const forced: Partial<NodeConfig> = isPrivate(name) ? { accessModel: 'whitelist' } : {};
  return { name, config: { ...defaultNodeConfig, ...stored, ...forced }, members, createdAtMs };
}
