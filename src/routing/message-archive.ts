import type { Stanza } from '../protocol/stanza.ts';
import type { Account } from './account.ts';

/** A message in the archive of an account. */
export interface QuotedMessage {
  readonly message: Stanza;
  /** When the server received it. */
  readonly atMs: number;
}

/** The archives of accounts, for extensions that quote archived messages. */
export interface MessageArchive {
  /** The messages with these ids (XEP-0359 §3.1) in the archive of an account, oldest first. Unknown ids are left out. */
  find(account: Account, ids: readonly string[]): Promise<readonly QuotedMessage[]>;
}
