import { z } from 'zod';
import { type BindableOperation, operation, operatorAddress } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { StoredUpload, UploadStore } from '../../storage/uploads.ts';
import type { Clock } from '../../support/clock.ts';

const dayMs = 86_400_000;

/** The uploads of a running server, as operations see them. */
export interface OperatedUploads {
  readonly store: Pick<UploadStore, 'total' | 'largest' | 'list' | 'find' | 'remove'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Deletes the contents of files that are gone. */
  readonly tidy: () => void;
}

const text = z.string().min(1);

/** Shows how much is stored, and the accounts with the most bytes. */
export const uploadUsage = operation({
  method: 'GET',
  path: '/uploads/usage',
  input: z.strictObject({ limit: z.coerce.number().int().min(1).max(5000) }),
  run: async ({ store }: OperatedUploads, { limit }) => {
    const [{ bytes }, accounts] = await Promise.all([store.total(), store.largest(limit)]);
    return { bytes, accounts };
  },
});

/** Lists files, latest first, a page at a time: all, those of an account, or the one at an address. */
export const listUploads = operation({
  method: 'GET',
  path: '/uploads',
  input: z.strictObject({
    url: text.optional(),
    user: text.optional(),
    before: z.coerce.number().int().min(1).optional(),
    limit: z.coerce.number().int().min(1).max(5000),
  }),
  run: async (
    { store }: OperatedUploads,
    { url, user, before = Number.MAX_SAFE_INTEGER, limit },
  ): Promise<{ uploads: StoredUpload[] }> => {
    if (url === undefined) return { uploads: await store.list({ before, limit, owner: user && accountOf(user) }) };
    const found = await store.find(idIn(url));
    if (found === undefined || found === 'gone') throw new OperationError('not-found', `There is no file at ${url}.`);
    return { uploads: [found] };
  },
});

/** Removes the file at an address, or the files of an account or of all accounts that are so many days old. */
export const removeUploads = operation({
  method: 'DELETE',
  path: '/uploads',
  input: z.strictObject({
    url: text.optional(),
    user: text.optional(),
    olderThanDays: z.coerce.number().min(0).max(36_500).optional(),
  }),
  subject: ({ url, user, olderThanDays }) => url ?? user ?? `files older than ${olderThanDays} days`,
  run: async ({ store, clock, tidy }: OperatedUploads, { url, user, olderThanDays }) => {
    if (url === undefined && user === undefined && olderThanDays === undefined)
      throw new OperationError('invalid', 'Name the address of a file, a user or an age.');
    const removed = await store.remove({
      id: url && idIn(url),
      owner: user && accountOf(user),
      beforeMs: olderThanDays === undefined ? undefined : clock.nowMs() - olderThanDays * dayMs,
    });
    if (url !== undefined && removed === 0) throw new OperationError('not-found', `There is no file at ${url}.`);
    tidy();
    return { removed };
  },
});

/** The operations about uploads. */
export const uploadOperations: readonly BindableOperation<OperatedUploads>[] = [
  uploadUsage,
  listUploads,
  removeUploads,
];

/** The id in the address of a file, which may be written without its beginning. */
function idIn(url: string): string {
  const id = /(?:^|\/files\/)([\w-]{22})(?:\/[^/]*)?$/.exec(url.replace(/[?#].*$/, ''))?.[1];
  if (id !== undefined) return id;
  throw new OperationError('invalid', `${JSON.stringify(url)} is not the address of an uploaded file.`);
}

function accountOf(user: string): string {
  const address = operatorAddress(user);
  if (address.local !== '' && address.isBare) return address.toString();
  throw new OperationError('invalid', `${user} is not the address of an account, such as romeo@example.org.`);
}
