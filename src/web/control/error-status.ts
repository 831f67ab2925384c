import { OperationError, type OperationErrorCode } from '../../routing/operation-error.ts';
import { StorageError, type StorageErrorCode } from '../../storage/storage-error.ts';

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

/** Turns a storage error into an operation error. Undefined for an unexpected error. */
export function toOperationError(error: unknown): OperationError | undefined {
  if (error instanceof OperationError) return error;
  if (!(error instanceof StorageError)) return undefined;
  return new OperationError(byStorage.get(error.code) ?? 'failed', error.message, { cause: error });
}
