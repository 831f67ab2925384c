/** A stanza of the server's own that has to be sent. */
export interface OutboxEntry {
  readonly id: number;
  readonly bytes: Buffer;
}

/** What the server owes others because of changes to stored messages; `OfflineStore` puts it in. */
export interface OutboxStore {
  /** The oldest entries with an id greater than `afterId`. */
  list(afterId: number, limit: number): Promise<OutboxEntry[]>;
  remove(ids: readonly number[]): Promise<void>;
}
