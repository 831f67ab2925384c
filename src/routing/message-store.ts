import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { NewOfflineMessage } from '../storage/offline.ts';
import type { Account } from './account.ts';

/** Data that is stored together with a message: rules that stay armed, and reports that the message was stored. */
export interface StoredExtras extends Pick<NewOfflineMessage, 'kept' | 'reports' | 'outboxId' | 'moved'> {
  /** When the message was first sent, if not now; milliseconds since 1970. */
  readonly sentAtMs?: number | undefined;
}

/** Stores messages for absent users. */
export interface MessageStore {
  /** Resolves when the message is durable; rejects with StanzaError or StorageError if it cannot be stored. */
  keep(message: Stanza, owner: Jid, extras?: StoredExtras): Promise<void>;
  /** Whether the owner's quota has room for a message. */
  hasRoom(message: Stanza, owner: Account): boolean;
  /** Whether a stored message has been sent to a client that may have read it but has not acknowledged it. */
  isInFlight(owner: string, id: number): boolean;
}
