import type { Jid } from '../../protocol/jid.ts';
import { pubsubError } from '../../protocol/pubsub.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import { maySeePresence } from '../../routing/visibility.ts';
import type { PepNode } from './account-nodes.ts';

/**
 * The reason that keeps somebody from a node; undefined if nothing does. Items, subscriptions, service discovery and notifications all ask
 * here. A stranger who may not gets the error for an address without an account (RFC 6121 §8.5.1), whether or not there is such a node.
 */
export function denial(account: Account, node: PepNode | undefined, asker: Jid): StanzaError | undefined {
  if (node?.config.accessModel === 'open') return undefined;
  if (node?.config.accessModel === 'whitelist' && isMember(node, asker)) return undefined;
  if (!maySeePresence(account, asker)) return StanzaError.serviceUnavailable();
  // Profanity looks for the code: without one it takes no list of OMEMO devices for an error, and publishes none.
  if (!node) return StanzaError.itemNotFound(undefined, { code: 404 });
  if (asker.bare().equals(account.jid)) return undefined;
  switch (node.config.accessModel) {
    case 'presence':
      return undefined;
    case 'roster':
      return isInGroup(account, asker, node.config.rosterGroups)
        ? undefined
        : pubsubError('not-authorized', 'not-in-roster-group');
    case 'whitelist':
      return pubsubError('not-allowed', 'closed-node');
  }
}

/** Whether somebody may have items and notifications of a node. */
export function mayAccess(account: Account, node: PepNode, asker: Jid): boolean {
  return denial(account, node, asker) === undefined;
}

function isInGroup({ roster }: Account, asker: Jid, allowed: readonly string[]): boolean {
  const groups = roster.get(asker.bare().toString())?.groups ?? [];
  return groups.some((group) => allowed.includes(group));
}

function isMember({ members }: PepNode, asker: Jid): boolean {
  return members.length > 0 && members.includes(asker.bare().toString());
}
