import { StorageError } from '../../src/storage/storage-error.ts';

/** The storage error with which a promise rejects; fails if it does not reject, or with anything else. */
export async function rejection(promise: Promise<unknown>): Promise<StorageError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome instanceof StorageError) return outcome;
  throw new Error('Expected a StorageError', { cause: outcome });
}
