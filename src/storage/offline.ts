/** The armed rules of a stored message, as text in the format of their extension. */
export interface KeptRules {
  readonly rules: string;
  /** The earliest time, in milliseconds, at which one of them is met by time alone. */
  readonly dueAtMs: number;
}

/** A message to store until its owner comes online. */
export interface NewOfflineMessage {
  readonly from: string;
  readonly receivedAtMs: number;
  readonly bytes: Buffer;
  readonly kept?: KeptRules | undefined;
  /** Stanzas that are added to the outbox in the same transaction. */
  readonly reports?: readonly Buffer[] | undefined;
  /** The entry of the outbox that this message came from. The same transaction removes it. */
  readonly outboxId?: number | undefined;
  /** The message only moves from another table: it is accepted even while the disk is nearly full. */
  readonly moved?: boolean | undefined;
}

/** A stored message. The order of ids is the order of arrival. */
export interface OfflineMessage {
  readonly id: number;
  readonly from: string;
  readonly receivedAtMs: number;
  readonly bytes: Buffer;
  /** The time, in milliseconds, at which one of its rules is met. Absent if it has no such rule. */
  readonly dueAtMs?: number;
}

/** A stored message with a rule that is due. */
export interface DueMessage extends KeptRules {
  readonly id: number;
  readonly owner: string;
  readonly bytes: Buffer;
}

/** Which due messages to list: those after a known one, optionally of one owner. */
export interface DuePage {
  readonly untilMs: number;
  readonly after?: Pick<DueMessage, 'id' | 'dueAtMs'> | undefined;
  readonly owner?: string | undefined;
  readonly limit: number;
}

/** The limits of the stored messages of one account. */
export interface OfflineQuota {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** The stored messages of one account. */
export interface OfflineUsage {
  readonly messages: number;
  readonly bytes: number;
}

/** Messages stored for users who are offline (RFC 6121 §8.5.2.2, XEP-0160 §3). */
export interface OfflineStore {
  /**
   * Stores one message and resolves with its id once it is durable. Rejects with `quota` if it exceeds a limit. Changes to the
   * outbox are in the same transaction.
   */
  append(owner: string, message: NewOfflineMessage, quota: OfflineQuota): Promise<number>;
  /** The oldest messages with an id greater than `afterId`. */
  list(owner: string, afterId: number, limit: number): Promise<OfflineMessage[]>;
  /** Removes those of the given messages that exist. Resolves with the number and the size of the removed ones. */
  remove(owner: string, ids: readonly number[]): Promise<OfflineUsage>;
  removeAll(owner: string): Promise<void>;
  count(owner: string): Promise<OfflineUsage>;
  /** The messages due by a given time, the earliest first. */
  due(page: DuePage): Promise<DueMessage[]>;
  /** The time, in milliseconds, at which the next message is due. */
  nextDueMs(): Promise<number | undefined>;
  /**
   * Removes a due message, or replaces its rules, and adds reports to the outbox, in one transaction. Changes nothing and resolves
   * with false if its rules or its time have changed: it has been settled in the meantime.
   */
  settle(
    message: Pick<DueMessage, 'id' | 'dueAtMs' | 'rules'>,
    change: 'remove' | Partial<KeptRules>,
    reports: readonly Buffer[],
  ): Promise<boolean>;
}
