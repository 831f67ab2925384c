import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { Account } from './account.ts';
import type { SessionDirectory } from './session-directory.ts';
import { maySeePresence, showsItself } from './visibility.ts';

/**
 * Whether the user of an account knows an address: it is a contact, was approved, or has got something from a session of the user. All
 * other addresses are strangers, who are limited in what they may send.
 */
export function knows(account: Account, address: Jid, sessions: Pick<SessionDirectory, 'of'>): boolean {
  if (maySeePresence(account, address)) return true;
  const contact = account.roster.get(address.bare().toString());
  if (contact?.inRoster || contact?.approved) return true;
  return sessions.of(account.key).some((session) => showsItself(session, address));
}

/** Whether a stanza can reach the eyes of a user who has not asked for it. Errors answer something. */
export function isUnasked({ kind, type }: Stanza): boolean {
  return kind === 'message' ? type !== 'error' : kind === 'presence' && type === 'subscribe';
}
