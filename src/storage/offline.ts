/** The rules that go on watching over a kept message, as text that only their author can read. */
export interface KeptRules {
  readonly rules: string;
  /** When the first of them fires by time alone. */
  readonly dueAtMs: number;
}

/** A message to be kept until its owner is back. */
export interface NewOfflineMessage {
  readonly from: string;
  readonly receivedAtMs: number;
  readonly bytes: Buffer;
  readonly kept?: KeptRules | undefined;
  /** Stanzas that go to the outbox together with the message. */
  readonly reports?: readonly Buffer[] | undefined;
  /** The entry of the outbox that this message was until now. */
  readonly outboxId?: number | undefined;
  /** It has a place in the store already, which is given up when it is here: it is taken as long as there is any room. */
  readonly moved?: boolean | undefined;
}

/** A kept message; the order of ids is the order of arrival. */
export interface OfflineMessage {
  readonly id: number;
  readonly from: string;
  readonly receivedAtMs: number;
  readonly bytes: Buffer;
  /** When a rule that watches over it fires; absent if none does. */
  readonly dueAtMs?: number;
}

/** A kept message a rule of which has come due. */
export interface DueMessage extends KeptRules {
  readonly id: number;
  readonly owner: string;
  readonly bytes: Buffer;
}

/** Which due messages are looked for: those after a known one, of one owner if given. */
export interface DuePage {
  readonly untilMs: number;
  readonly after?: Pick<DueMessage, 'id' | 'dueAtMs'> | undefined;
  readonly owner?: string | undefined;
  readonly limit: number;
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
  /**
   * Keeps one message and resolves with its id once it is durable; rejects with `quota` if it would not fit. What goes to the
   * outbox, or comes from there, does so in the same transaction.
   */
  append(owner: string, message: NewOfflineMessage, quota: OfflineQuota): Promise<number>;
  /** The oldest messages with an id greater than `afterId`. */
  list(owner: string, afterId: number, limit: number): Promise<OfflineMessage[]>;
  /** Removes those of the given messages that are there; resolves with how much that was. */
  remove(owner: string, ids: readonly number[]): Promise<OfflineUsage>;
  removeAll(owner: string): Promise<void>;
  count(owner: string): Promise<OfflineUsage>;
  /** The messages that have come due by a moment, the earliest first. */
  due(page: DuePage): Promise<DueMessage[]>;
  /** When the next message comes due. */
  nextDueMs(): Promise<number | undefined>;
  /**
   * Removes a due message, or gives it other rules, and puts reports into the outbox, in one transaction. False, and nothing is
   * done, if it does not have the rules and the time any more that are given: somebody else has settled it.
   */
  settle(
    message: Pick<DueMessage, 'id' | 'dueAtMs' | 'rules'>,
    change: 'remove' | Partial<KeptRules>,
    reports: readonly Buffer[],
  ): Promise<boolean>;
}
