/** A message to be kept until its owner is back. */
export interface NewOfflineMessage {
  readonly from: string;
  readonly receivedAtMs: number;
  readonly bytes: Buffer;
}

/** A kept message; the order of ids is the order of arrival. */
export interface OfflineMessage extends NewOfflineMessage {
  readonly id: number;
}

/** How much may be kept for one account. */
export interface OfflineQuota {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** How much is kept for one account. */
export interface OfflineUsage {
  readonly messages: number;
  readonly bytes: number;
}

/** Messages that wait for an absent user (RFC 6121 §8.5.2.2, XEP-0160 §3). */
export interface OfflineStore {
  /** Keeps one message and resolves with its id once it is durable; rejects with `quota` if it would not fit. */
  append(owner: string, message: NewOfflineMessage, quota: OfflineQuota): Promise<number>;
  /** The oldest messages with an id greater than `afterId`. */
  list(owner: string, afterId: number, limit: number): Promise<OfflineMessage[]>;
  /** Removes those of the given messages that are there. */
  remove(owner: string, ids: readonly number[]): Promise<void>;
  removeAll(owner: string): Promise<void>;
  count(owner: string): Promise<OfflineUsage>;
}
