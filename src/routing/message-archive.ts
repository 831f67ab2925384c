import type { Stanza } from '../protocol/stanza.ts';
import type { Account } from './account.ts';
import type { Passage } from './passage.ts';
import type { Session } from './session.ts';

/** What the archive of a recipient will do with a message. */
export interface ArchivingPlan {
  /** The archive alone is enough to store the message: clients of the account read it, and time cannot end the message. */
  readonly suffices: boolean;
}

/** A message in the archive of an account. */
export interface QuotedMessage {
  readonly message: Stanza;
  /** When the server received it. */
  readonly atMs: number;
}

/** Keeps messages for clients that read them when they like (XEP-0313). */
export interface MessageArchive {
  /** What the archive of the recipient will do with a message that is stored; undefined if it does not keep the message. */
  plan(passage: Passage, recipient: Account): ArchivingPlan | undefined;
  /** The client of the session reads archived messages with smaller ids by itself; undefined if it reads none. */
  readsBefore(session: Session): number | undefined;
  /** The messages with these ids (XEP-0359 §3.1) in the archive of an account, oldest first. Unknown ids are left out. */
  find(account: Account, ids: readonly string[]): Promise<readonly QuotedMessage[]>;
}
