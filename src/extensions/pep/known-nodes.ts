import { ns } from '../../protocol/namespaces.ts';
import { defaultNodeConfig, type NodeConfig } from '../../protocol/pubsub-config.ts';

/** Nodes that nobody but their owner may ever read: which rooms somebody uses, and what was read where. */
const privateNodes: ReadonlySet<string> = new Set([ns.bookmarks, ns.legacyBookmarks, ns.displayedMarkers]);

/** Whether a node is the owner's alone, whatever its configuration says. */
export function isPrivate(node: string): boolean {
  return privateNodes.has(node);
}

/** The configuration of a node that is created without one. */
export function initialConfig(node: string): NodeConfig {
  if (isPrivate(node))
    return { ...defaultNodeConfig, accessModel: 'whitelist', maxItems: 'max', sendLastItem: 'never' };
  if (isOmemo(node, ns.legacyOmemo)) return { ...defaultNodeConfig, accessModel: 'open' };
  if (isOmemo(node, ns.omemo)) return { ...defaultNodeConfig, accessModel: 'open', maxItems: omemoItems(node) };
  return defaultNodeConfig;
}

/** Keys are of use to those who are no contacts yet (XEP-0384 §5.3.1, §5.3.2). */
function isOmemo(node: string, namespace: string): boolean {
  return node.startsWith(`${namespace}.`) || node.startsWith(`${namespace}:`);
}

/** All bundles are at one node (XEP-0384 §5.3.2). */
function omemoItems(node: string): NodeConfig['maxItems'] {
  return node === `${ns.omemo}:bundles` ? 'max' : 1;
}
