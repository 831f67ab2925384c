import type { NewArchivedMessage } from './archive.ts';

/** The armed rules of a stored message, as text in the format of their extension. */
export interface KeptRules {
  readonly rules: string;
  /** The earliest time, in milliseconds, at which one of them is met by time alone. */
  readonly dueAtMs: number;
}

/** A stored message in the archive of its owner. */
export interface ArchivedCopy {
  /** The id of the message in the archive. */
  readonly id: number;
  /** What the same transaction adds to the archives; absent if they have the message already. */
  readonly message?: NewArchivedMessage | undefined;
  /** Without room in the offline store, the archive alone keeps the message. */
  readonly suffices: boolean;
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
  /** Absent if the archive of the owner does not have the message. */
  readonly copy?: ArchivedCopy | undefined;
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

/** Stored messages that a client reads in the archive: the archived ones with ids smaller than `beforeId`. */
export interface Withheld {
  readonly beforeId: number;
}

/** Archived messages: those with ids up to `upToId`, or those with the given ids. */
export type ArchivedIds = { readonly upToId: number } | { readonly ids: readonly number[] };

/** A stored message with a rule that is due. */
export interface DueMessage extends KeptRules {
  readonly id: number;
  readonly owner: string;
  readonly bytes: Buffer;
  /** Its id in the archive of the owner, if it is there. */
  readonly archivedId?: number;
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

/** A number of stored messages of one account, and their size. */
export interface OfflineUsage {
  readonly messages: number;
  readonly bytes: number;
}

/** The stored messages of one account. Each kind has the whole quota. */
export interface OfflineUsages {
  /** Only the offline store has them. */
  readonly unarchived: OfflineUsage;
  /** The archive of the account has got them, too. */
  readonly archived: OfflineUsage;
}

/** Messages stored for users who are offline (RFC 6121 §8.5.2.2, XEP-0160 §3). */
export interface OfflineStore {
  /**
   * Stores one message and resolves with its id once it is durable, with 0 if the archive alone keeps it. Rejects with `quota` if it
   * exceeds a limit. Changes to the outbox and the archives are in the same transaction. If the message is refused, the archive of its
   * sender gets it all the same.
   */
  append(owner: string, message: NewOfflineMessage, quota: OfflineQuota): Promise<number>;
  /** The oldest messages with an id greater than `afterId`, without those that are withheld and still in the archive. */
  list(owner: string, afterId: number, limit: number, withheld?: Withheld): Promise<OfflineMessage[]>;
  /** The ids of the stored messages that are these messages of the archive. */
  idsOf(owner: string, archived: ArchivedIds): Promise<number[]>;
  /** Removes those of the given messages that exist. Resolves with the number and the size of the removed ones. */
  remove(owner: string, ids: readonly number[]): Promise<OfflineUsages>;
  removeAll(owner: string): Promise<void>;
  /** All stored messages. */
  count(owner: string): Promise<OfflineUsage>;
  /** The messages due by a given time, the earliest first. */
  due(page: DuePage): Promise<DueMessage[]>;
  /** The time, in milliseconds, at which the next message is due. */
  nextDueMs(): Promise<number | undefined>;
  /**
   * Removes a due message, also from the archive of its owner, or replaces its rules, and adds reports to the outbox, in one
   * transaction. Changes nothing and resolves with false if its rules or its time have changed: it has been settled in the meantime.
   */
  settle(
    message: Pick<DueMessage, 'id' | 'dueAtMs' | 'rules'>,
    change: 'remove' | Partial<KeptRules>,
    reports: readonly Buffer[],
  ): Promise<boolean>;
}
