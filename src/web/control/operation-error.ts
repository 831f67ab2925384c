import { StorageError, type StorageErrorCode } from '../../storage/storage-error.ts';

/**
 * Why an operation was not carried out: the request makes no sense, what it names is not there or there already, the
 * configuration cannot be used, the server is not running, or something failed.
 */
export type OperationErrorCode = 'invalid' | 'not-found' | 'conflict' | 'configuration' | 'not-running' | 'failed';

/** An operation that was not carried out; the message is for the operator. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly code: OperationErrorCode;

  constructor(code: OperationErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const byStatus = new Map<number, OperationErrorCode>([
  [400, 'invalid'],
  [404, 'not-found'],
  [409, 'conflict'],
  [422, 'configuration'],
  [503, 'not-running'],
]);
const byCode = new Map([...byStatus].map(([status, code]) => [code, status]));

/** The HTTP status that carries a code. */
export function statusOf(code: OperationErrorCode): number {
  return byCode.get(code) ?? 500;
}

/** The code that an HTTP status carries. */
export function codeOf(status: number): OperationErrorCode {
  return byStatus.get(status) ?? 'failed';
}

const byStorage = new Map<StorageErrorCode, OperationErrorCode>([
  ['conflict', 'conflict'],
  ['locked', 'conflict'],
  ['not-found', 'not-found'],
  ['invalid', 'invalid'],
]);

/** Gives an error of the storage its place among the operation errors; undefined for what should never be thrown. */
export function toOperationError(error: unknown): OperationError | undefined {
  if (error instanceof OperationError) return error;
  if (!(error instanceof StorageError)) return undefined;
  return new OperationError(byStorage.get(error.code) ?? 'failed', error.message, { cause: error });
}
