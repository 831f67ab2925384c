/** A part of a content: the first byte and the last one, counted from 0. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Contents of files, by ids. A content never changes. Ids have at least three characters of base64url. A rejection of the store itself is a
 * `StorageError`.
 */
export interface BlobStore {
  /** Bytes that there is room for; Infinity if nobody knows. */
  freeBytes(): number;
  /**
   * Stores a content of exactly `size` bytes, as it comes. Resolves when a power cut cannot undo it. Rejects with `invalid` for another
   * size, with `full`, or with the error of the content; then nothing is stored. The store frees the memory of the chunks, so nobody else may
   * use them afterwards.
   */
  write(id: string, size: number, content: AsyncIterable<Buffer>): Promise<void>;
  /**
   * Opens a part of a content, which must then be read. A chunk is valid until the next one is asked for. Undefined if the content does not
   * exist. Reading rejects with `invalid` if it is shorter.
   */
  read(id: string, range: ByteRange): Promise<AsyncIterable<Buffer> | undefined>;
  /** Removes a content. One that does not exist is no error. */
  remove(id: string): Promise<void>;
  /** The ids of all contents, some at a time. Those that come or go meanwhile may be missing. */
  ids(): AsyncIterable<readonly string[]>;
  /** Removes what writes of an earlier process have left unfinished. */
  removeUnfinished(): Promise<void>;
}
