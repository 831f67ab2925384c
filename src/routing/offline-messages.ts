import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';

/** Where messages for absent users go. Resolves when the message is durable; throws StanzaError if it cannot be kept. */
export interface OfflineMessages {
  /** `sentAtMs`: when it came, if that is not now. */
  keep(message: Stanza, owner: Jid, sentAtMs?: number): Promise<void>;
}
