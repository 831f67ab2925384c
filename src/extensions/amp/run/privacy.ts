import type { Jid } from '../../../protocol/jid.ts';
import { Refusal } from '../element/refusal.ts';
import { type AddressList, isListed } from '../rules/address-list.ts';
import type { Rule } from '../rules/rule.ts';

/** Which senders may get reports about a recipient (XEP-0079 §9). */
export interface PresencePrivacy {
  /** `strict`: senders who may see the recipient's presence. `drop-only`: the recipient's own account. `open`: all senders. */
  readonly mode: 'strict' | 'drop-only' | 'open';
  /** Senders who may get reports about every recipient. */
  readonly trusted: AddressList;
}

/**
 * Whether a sender may get reports about a local recipient. This depends only on their relation, so that strangers get the
 * same answer whether the recipient is online, is offline, blocks them, or does not exist.
 */
export function mayHaveReports(
  { mode, trusted }: PresencePrivacy,
  sender: Jid,
  recipient: Jid,
  seesPresence: () => boolean,
): boolean {
  if (mode === 'open' || sender.bare().equals(recipient.bare()) || isListed(trusted, sender)) return true;
  return mode === 'strict' && seesPresence();
}

/** Refuses rules that would report to a sender who may not get reports (XEP-0079 §9). */
export function refuseReports(rules: readonly Rule[], mayReport: () => boolean): Refusal | undefined {
  const revealing = rules.filter(({ action }) => action.report !== undefined);
  if (revealing.length === 0 || mayReport()) return undefined;
  return Refusal.of('invalid-rules', revealing.map(asWritten), rules.map(asWritten));
}

function asWritten({ written }: Rule) {
  return written;
}
