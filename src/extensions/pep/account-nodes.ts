import { defaultNodeConfig, type NodeConfig } from '../../protocol/pubsub-config.ts';
import type { Account } from '../../routing/account.ts';
import { AccountSlot } from '../../routing/account-slot.ts';
import type { PepNodeRecord, PepStore } from '../../storage/pep.ts';
import { isPrivate } from './known-nodes.ts';

/** A node of an account. Every publication and every change makes a new object of it. */
export interface PepNode {
  readonly name: string;
  readonly config: NodeConfig;
  readonly createdAtMs: number;
}

type PepNodes = ReadonlyMap<string, PepNode>;

/** One for all accounts without nodes. */
const none: PepNodes = new Map();

/** The nodes of the accounts in memory, and the order of their changes. */
export class AccountNodes {
  /** Read together with every account. */
  readonly slot: AccountSlot<PepNodes>;
  /** The end of the last change of each account that is being changed. */
  readonly #changing = new WeakMap<Account, Promise<unknown>>();

  constructor(store: Pick<PepStore, 'nodes'>) {
    this.slot = new AccountSlot(async (key) => {
      const records = await store.nodes(key);
      return records.length === 0 ? none : new Map(records.map((record) => [record.name, readNode(record)]));
    });
  }

  of(account: Account): PepNodes {
    return this.slot.of(account);
  }

  set(account: Account, node: PepNode): void {
    this.slot.set(account, new Map(this.of(account)).set(node.name, node));
  }

  delete(account: Account, name: string): void {
    const left = new Map(this.of(account));
    left.delete(name);
    this.slot.set(account, left.size === 0 ? none : left);
  }

  /** Makes a change when all earlier changes of the account have ended, so that it sees what they have made. */
  change<Result>(account: Account, make: () => Promise<Result>): Promise<Result> {
    const before = this.#changing.get(account) ?? Promise.resolve();
    const made = before.then(make);
    this.#changing.set(
      account,
      made.catch(() => undefined),
    );
    return made;
  }
}

/** A node as it is stored. */
export function nodeRecord({ name, config, createdAtMs }: PepNode): PepNodeRecord {
  return { name, config: JSON.stringify(config), createdAtMs };
}

function readNode({ name, config, createdAtMs }: PepNodeRecord): PepNode {
  const stored: Partial<NodeConfig> = JSON.parse(config);
  const forced: Partial<NodeConfig> = isPrivate(name) ? { accessModel: 'whitelist' } : {};
  return { name, config: { ...defaultNodeConfig, ...stored, ...forced }, createdAtMs };
}
