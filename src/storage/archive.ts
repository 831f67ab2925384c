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

/** Names a message in an archive; the order of ids is the order of arrival. */
export interface ArchivedId {
  readonly id: number;
  /** The id that another server gave to the message before it was imported. */
  readonly importedId?: string | undefined;
}

/** A message in an archive. */
export interface ArchivedMessage extends ArchivedId {
  readonly bytes: Buffer;
}

/** A message that comes from the archive of another server. */
export interface ImportedArchivedMessage {
  /** When that server received it, in milliseconds since 1970. */
  readonly atMs: number;
  readonly bytes: Buffer;
  /** The bare JID that the owner has exchanged it with. */
  readonly peer: string;
  readonly importedId?: string | undefined;
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
  /** Whether some of its messages were imported with their ids. */
  readonly hasImportedIds: boolean;
  /** Whether a client of the account has read the archive. */
  readonly wasRead: boolean;
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

/** What an archive holds, or all of them together: then a message of two archives counts once. */
export interface ArchiveUsage {
  readonly messages: number;
  readonly bytes: number;
  readonly firstId: number | undefined;
  readonly lastId: number | undefined;
}

/** Archives of messages (XEP-0313 §3). */
export interface ArchiveStore {
  /** The archive of an account. */
  open(owner: string): Promise<ArchiveRecord | undefined>;
  /** Rejects with `not-found` if the archive is gone. */
  setPreferences(archive: number, preferences: string | undefined): Promise<void>;
  /** Notes that a client of the account has read the archive. */
  setRead(archive: number): Promise<void>;
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
  /** The first and the last message. */
  bounds(archive: number): Promise<readonly [first: ArchivedId, last: ArchivedId] | undefined>;
  /**
   * Those of the last messages exchanged with a peer before an id whose bytes contain a text, in any order. Looks at no more than 1000
   * messages.
   */
  search(archive: number, peer: string, beforeId: number, text: string): Promise<ArchivedMessage[]>;
  /** Changes the bytes of a message in all archives that have it, if all of them are among these. */
  replace(id: number, bytes: Buffer, archives: readonly number[]): Promise<void>;
  /** Removes one message from one archive. */
  remove(archive: number, id: number): Promise<void>;
  /** Removes messages with smaller ids from one archive, in steps; resolves with their number. It may end when it has removed `atLeast`. */
  purge(archive: number, beforeId: number, atLeast?: number): Promise<number>;
  /** Measures one archive, or all, in steps. */
  usage(archive?: number): Promise<ArchiveUsage>;
  /** Does a little of what the limits demand; true if more is left to do. */
  tidy(limits: ArchiveLimits): Promise<boolean>;
  /** The ids of messages that were imported with these ids; nothing for a text that no message was imported with. */
  idsOfImported(archive: number, importedIds: readonly string[]): Promise<(number | undefined)[]>;
  /**
   * A new archive without an owner, to be filled before its account is created (`NewAccount.archive`). Without an owner it is removed
   * some time after {@link finishImport}, or when the store has been opened again.
   */
  prepareImport(): Promise<number>;
  /**
   * Adds messages with the time of each as its place. Messages of one millisecond stay in their order, also over several calls if each
   * call names the place that the one before has returned.
   */
  importMessages(
    archive: number,
    messages: readonly ImportedArchivedMessage[],
    after?: ImportPlace,
  ): Promise<ImportPlace>;
  /** Nothing more is added to an archive of {@link prepareImport}, and it has its owner if it is to have one. */
  finishImport(archive: number): void;
}

/** The place of the message that was imported last. */
export interface ImportPlace {
  readonly atMs: number;
  readonly id: number;
}
