/**
 * Why a storage operation failed. `conflict`, `not-found`, `quota` and `invalid` concern one operation; `full` and `busy` may pass;
 * `io` and `corrupt` end the store; `locked`, `schema` and `unsupported` prevent its opening; `closed` follows its closing.
 */
export type StorageErrorCode =
  | 'conflict'
  | 'not-found'
  | 'quota'
  | 'invalid'
  | 'full'
  | 'busy'
  | 'io'
  | 'corrupt'
  | 'locked'
  | 'schema'
  | 'unsupported'
  | 'closed';

/** The error of every rejected storage promise. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether the same operation may succeed later. */
  get isPassing(): boolean {
    return this.code === 'full' || this.code === 'busy';
  }
}
