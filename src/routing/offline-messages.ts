import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { NewOfflineMessage } from '../storage/offline.ts';
import type { Account } from './account.ts';

/** What is kept together with a message: rules that watch over it, and what the server owes others because of it. */
export interface StoredExtras extends Pick<NewOfflineMessage, 'kept' | 'reports' | 'outboxId' | 'moved'> {
  /** When the message came, if that is not now. */
  readonly sentAtMs?: number | undefined;
}

/** Where messages for absent users go. */
export interface OfflineMessages {
  /** Resolves when the message is durable; rejects with StanzaError or StorageError if it cannot be kept. */
  keep(message: Stanza, owner: Jid, extras?: StoredExtras): Promise<void>;
  /** Whether a message would fit beside those that are kept already. */
  hasRoom?(message: Stanza, owner: Account): boolean;
}
