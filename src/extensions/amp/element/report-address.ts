import type { Jid } from '../../../protocol/jid.ts';
import { jidOrNothing } from '../../../protocol/jid-or-nothing.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import type { Ends } from '../run/delivered-copy.ts';
import { ampsOf, type PlacedAmp } from './amp-element.ts';
import type { WrittenRuleset } from './written-rules.ts';

/** Whether a sender may be answered at all. Errors, reports and messages of bare domains get no replies. */
export function isAnswerable(message: Stanza, sender: Jid, amps = ampsOf(message.payload)): boolean {
  return message.type !== 'error' && !isServer(sender) && !hasReport(amps);
}

/** Whether the message is a report on another one. Reports are not archived, copied or judged. */
export function carriesReport({ payload }: Stanza): boolean {
  return hasReport(ampsOf(payload));
}

function hasReport(amps: readonly PlacedAmp[]): boolean {
  return amps.some(({ amp }) => amp.isReport);
}

/**
 * The address of a report that is sent some time after the message arrived: the sending resource if it is still connected,
 * else the account, so that the report is stored. For senders on other servers, their own server decides.
 */
export function lateAddress(sender: Jid, isLocal: (jid: Jid) => boolean, isConnected: (jid: Jid) => boolean): Jid {
  return isLocal(sender) && !isConnected(sender) ? sender.bare() : sender;
}

/**
 * The original sender and recipient of a message from another server. The addresses on its `<amp/>` are believed if they
 * agree with the verified sender. They are for display only: reports go to the verified sender.
 */
export function believedEnds({ from, to }: WrittenRuleset, verified: Ends): Ends {
  const sender = jidOrNothing(from);
  if (!sender || sender.isBare || !sender.bare().equals(verified.sender.bare())) return verified;
  return { sender, recipient: jidOrNothing(to) ?? verified.recipient };
}

/** Whether an address is a bare domain. */
export function isServer({ local, resource }: Jid): boolean {
  return local === '' && resource === '';
}
