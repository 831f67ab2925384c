import type { Account } from '../../routing/account.ts';
import type { NodeHook, NodeView } from '../../routing/personal-nodes.ts';

/** What other extensions know about nodes. The list is asked for when the first node is used, when all extensions exist. */
export class NodeHooks {
  readonly #list: () => readonly NodeHook[];
  #byNode: ReadonlyMap<string, NodeHook> | undefined;

  constructor(list: () => readonly NodeHook[]) {
    this.#list = list;
  }

  view(node: string): NodeView | undefined {
    return this.#of(node)?.view;
  }

  changed(account: Account, node: string): void {
    this.#of(node)?.changed?.(account);
  }

  #of(node: string): NodeHook | undefined {
    this.#byNode ??= new Map(this.#list().map((hook) => [hook.node, hook]));
    return this.#byNode.get(node);
  }
}
