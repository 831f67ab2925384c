import type { Jid } from '../../../protocol/jid.ts';
import { jidOrNothing } from '../../../protocol/jid-or-nothing.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import type { Ends } from '../run/delivered-copy.ts';
import { ampsOf, type PlacedAmp } from './amp-element.ts';
import type { WrittenRuleset } from './written-rules.ts';

/** Whether a sender may be answered at all: not for an error, not for a report, and servers as such are not told anything. */
export function isAnswerable(message: Stanza, sender: Jid, amps = ampsOf(message.payload)): boolean {
  return message.type !== 'error' && !isServer(sender) && !hasReport(amps);
}

/** Whether the message reports what has become of another one: such are not archived, copied or judged. */
export function carriesReport({ payload }: Stanza): boolean {
  return hasReport(ampsOf(payload));
}

function hasReport(amps: readonly PlacedAmp[]): boolean {
  return amps.some(({ amp }) => amp.isReport);
}

/**
 * Where a report goes when time has passed since the message came: to the resource that sent it if that is still there, else
 * to the account, so that it is stored. Of senders elsewhere, their own servers know.
 */
export function lateAddress(sender: Jid, isLocal: (jid: Jid) => boolean, isConnected: (jid: Jid) => boolean): Jid {
  return isLocal(sender) && !isConnected(sender) ? sender.bare() : sender;
}

/**
 * The original ends of a message that came from another server, as far as that can be believed: what the rules say of
 * them counts if it agrees with the sender that has been verified. Reports never go there, only to the verified sender.
 */
export function believedEnds({ from, to }: WrittenRuleset, verified: Ends): Ends {
  const sender = jidOrNothing(from);
  if (!sender || sender.isBare || !sender.bare().equals(verified.sender.bare())) return verified;
  return { sender, recipient: jidOrNothing(to) ?? verified.recipient };
}

/** Whether an address is that of a server as such. */
export function isServer({ local, resource }: Jid): boolean {
  return local === '' && resource === '';
}
