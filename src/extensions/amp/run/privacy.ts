import type { Jid } from '../../../protocol/jid.ts';
import { Refusal } from '../element/refusal.ts';
import { type AddressList, isListed } from '../rules/address-list.ts';
import type { Rule } from '../rules/rule.ts';

/** Who may have reports about a recipient (XEP-0079 §9). */
export interface PresencePrivacy {
  /** `strict`: those who may see the recipient's presence. `drop-only`: nobody. `open`: everybody. */
  readonly mode: 'strict' | 'drop-only' | 'open';
  /** Senders who may have reports about everybody. */
  readonly trusted: AddressList;
}

/**
 * Whether a sender may have reports about a local recipient. It depends on who they are to each other and on nothing
 * else, so that strangers get the same answer whether the recipient is there, away, unwilling or does not exist.
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

/** Refuses the rules that would report to a sender who may not have reports (XEP-0079 §9). */
export function refuseReports(rules: readonly Rule[], mayReport: () => boolean): Refusal | undefined {
  const revealing = rules.filter(({ action }) => action.report !== undefined);
  if (revealing.length === 0 || mayReport()) return undefined;
  return Refusal.of('invalid-rules', revealing.map(asWritten), rules.map(asWritten));
}

function asWritten({ written }: Rule) {
  return written;
}
