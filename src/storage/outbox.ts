/** A stanza that the server itself has to send. */
export interface OutboxEntry {
  readonly id: number;
  readonly bytes: Buffer;
}

/** Stanzas that the server has to send because of changes to stored messages. `OfflineStore` adds them. */
export interface OutboxStore {
  /** The oldest entries with an id greater than `afterId`. */
  list(afterId: number, limit: number): Promise<OutboxEntry[]>;
  remove(ids: readonly number[]): Promise<void>;
}
