/** A file that a user has uploaded. Its content is in the {@link BlobStore}. */
export interface NewUpload {
  readonly id: string;
  /** As the user named it; without directories. */
  readonly name: string;
  /** The media type, as the user named it. */
  readonly type: string;
  readonly size: number;
  readonly uploadedAtMs: number;
}

/** A file as stored. */
export interface StoredUpload extends NewUpload {
  /** The place in the order in which files were added. */
  readonly number: number;
  /** The account. */
  readonly owner: string;
}

/** How much an account has uploaded. */
export interface UploadUsage {
  readonly files: number;
  readonly bytes: number;
}

/** How much an account has uploaded, in all and lately. */
export interface RecentUsage extends UploadUsage {
  readonly recentBytes: number;
  readonly recentFiles: number;
  /** When the first of the recent files was uploaded; undefined without one. */
  readonly recentSinceMs: number | undefined;
}

/** Which files to remove: one, those of an account, old ones, or old ones of an account. */
export interface UploadSelection {
  readonly id?: string | undefined;
  readonly owner?: string | undefined;
  readonly beforeMs?: number | undefined;
}

/** A page of files. */
export interface UploadPage {
  /** Only files with smaller numbers. */
  readonly before: number;
  readonly limit: number;
  readonly owner?: string | undefined;
}

/**
 * Which files users have uploaded (XEP-0363). A file that is removed, by itself or with its account, is gone: nobody can read it, its content
 * can be deleted, and its id is remembered for a while.
 */
export interface UploadStore {
  /** Adds a file. Then removes the oldest other files of the account beyond `maxBytes` and resolves with their number. */
  add(owner: string, upload: NewUpload, maxBytes: number): Promise<number>;
  /** Undefined if there never was such a file, or if it is forgotten. */
  find(id: string): Promise<StoredUpload | 'gone' | undefined>;
  /** The files of an account. Those since `recentMs` are recent. */
  usage(owner: string, recentMs: number): Promise<RecentUsage>;
  /** Removes files, and resolves with their number. */
  remove(selection: UploadSelection): Promise<number>;
  /** Files that are gone and whose content is not deleted. */
  due(limit: number): Promise<Pick<NewUpload, 'id' | 'size'>[]>;
  /** The content of these files is deleted. Resolves with the bytes of those of which this was not known. */
  deleted(ids: readonly string[], atMs: number): Promise<number>;
  /** Forgets the ids of files whose content was deleted before this time. */
  forget(beforeMs: number): Promise<void>;
  /** Those of the ids that belong to no file with a content. */
  unknown(ids: readonly string[]): Promise<string[]>;
  /** The number and bytes of all contents that are not deleted. */
  total(): Promise<UploadUsage>;
  /** Files, latest first. */
  list(page: UploadPage): Promise<StoredUpload[]>;
  /** The accounts with the most bytes. */
  largest(limit: number): Promise<(UploadUsage & { readonly owner: string })[]>;
}
