import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import type { ArchivedIds, NewOfflineMessage } from '../storage/offline.ts';
import type { Account } from './account.ts';
import type { ArchivingPlan } from './message-archive.ts';
import type { Session } from './session.ts';

/** Data that is stored together with a message: rules that stay armed, reports that the message was stored, the archived message. */
export interface StoredExtras extends Pick<NewOfflineMessage, 'kept' | 'reports' | 'outboxId' | 'moved' | 'copy'> {
  /** When the message was first sent, if not now; milliseconds since 1970. */
  readonly sentAtMs?: number | undefined;
}

/** Stores messages for absent users. */
export interface MessageStore {
  /** Resolves when the message is durable; rejects with StanzaError or StorageError if it cannot be stored. */
  keep(message: Stanza, owner: Jid, extras?: StoredExtras): Promise<void>;
  /** Whether the owner's quota has room for a message. With `archiving`, the archive of the owner keeps it, too. */
  hasRoom(message: Stanza, owner: Account, archiving?: ArchivingPlan): boolean;
  /** Whether a stored message has been sent to a client that may have read it but has not acknowledged it. */
  isInFlight(owner: string, id: number): boolean;
  /**
   * A client is about to read the archive of its account: stored messages that have expired are settled first. Undefined if the account
   * has no stored messages in its archive.
   */
  beginReading(session: Session): Promise<ArchiveReading | undefined>;
}

/** A client reads messages of the archive, among them messages that are also stored for its account. */
export interface ArchiveReading {
  /** The messages that the client is about to get. From now on none of them expires. */
  gives(archived: ArchivedIds): Promise<void>;
  /** The client was sent everything, or will not be. What it proves to have read is no longer stored. */
  end(): void;
}
