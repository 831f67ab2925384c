import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { StanzaFilter } from '../../routing/extension.ts';
import { xml } from '../../xml/element.ts';
import { isListed } from './block-list.ts';

/** Refuses all stanzas, in both directions, between an account and the addresses it has blocked (XEP-0191 §3.3). */
export const blockFilter: StanzaFilter = {
  outbound({ to }, sender) {
    return to && isListed(sender.blocked, to, sender) ? blockedError() : undefined;
  },
  inbound(stanza, recipient) {
    const { from } = stanza;
    const blocked = from !== undefined && isListed(recipient.blocked, from, recipient);
    return blocked || isForgedPush(stanza, recipient) ? 'refuse' : undefined;
  },
};

function blockedError(): StanzaError {
  return StanzaError.notAcceptable(undefined, { type: 'cancel', extra: xml('blocked', { xmlns: ns.blockingErrors }) });
}

/** Only the client's own server may push changes of its block list. */
function isForgedPush({ kind, type, to, payload }: Stanza, recipient: Account): boolean {
  if (kind !== 'iq' || type !== 'set' || !to || to.equals(recipient.jid)) return false;
  return payload.children.some((child) => child.ns === ns.blocking);
}
