/** One end of a message: the archive of an account, and the bare JID that the account has exchanged the message with. */
interface ArchiveEnd {
  readonly archive: number;
  readonly peer: string;
}

/** A message for the archives of its ends, as far as they are kept here and want it. */
export interface NewArchivedMessage {
  /** From {@link ArchiveStore.newId}. */
  readonly id: number;
  readonly bytes: Buffer;
  readonly sender?: ArchiveEnd | undefined;
  /** Not the archive of the sender: a message to oneself is in it once. */
  readonly recipient?: ArchiveEnd | undefined;
}

/** A message in an archive; the order of ids is the order of arrival. */
export interface ArchivedMessage {
  readonly id: number;
  readonly bytes: Buffer;
}

/** Which messages of an archive are meant. */
export interface ArchiveRange {
  /** They have larger ids; 0 for no bound. */
  readonly afterId: number;
  /** They have smaller ids; Infinity for no bound. */
  readonly beforeId: number;
  /** They were exchanged with this bare JID. */
  readonly peer?: string | undefined;
}

/** An archive as it is read together with its account. */
export interface ArchiveRecord {
  readonly archive: number;
  /** As text that only its author can read; absent if the defaults hold. */
  readonly preferences?: string | undefined;
}

/** What may be removed, and what is done beside it. */
export interface ArchiveLimits {
  /** Messages with smaller ids are removed. */
  readonly removeBeforeId: number;
  /** The most messages of one archive; the oldest of the others are removed. */
  readonly maxMessages: number;
  /** The index is brought up to this id. */
  readonly indexBeforeId: number;
}

/** Archives of messages (XEP-0313 §3). */
export interface ArchiveStore {
  /** The archive of an account. */
  open(owner: string): Promise<ArchiveRecord | undefined>;
  /** Rejects with `not-found` if the archive is gone. */
  setPreferences(archive: number, preferences: string | undefined): Promise<void>;
  /** An id larger than all before. Ids are moments, see `OrderedIds`. */
  newId(): number;
  /** Adds a message, which must have the largest id so far. Those of one turn have one promise and become durable together. */
  append(message: NewArchivedMessage): Promise<void>;
  /** The first messages of a range, or the last ones, in the order of their ids. */
  page(archive: number, range: ArchiveRange, limit: number, which: 'first' | 'last'): Promise<ArchivedMessage[]>;
  /** Those of the given messages that are in the archive. */
  find(archive: number, ids: readonly number[]): Promise<ArchivedMessage[]>;
  /** How many messages are in a range; `most` if there are more. */
  count(archive: number, range: ArchiveRange, most: number): Promise<number>;
  /** The ids of the first and the last message. */
  bounds(archive: number): Promise<readonly [first: number, last: number] | undefined>;
  /** Removes one message from one archive. */
  remove(archive: number, id: number): Promise<void>;
  /** Does a little of what the limits demand; true if more is left to do. */
  tidy(limits: ArchiveLimits): Promise<boolean>;
}
