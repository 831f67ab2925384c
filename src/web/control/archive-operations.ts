import { z } from 'zod';
import { operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import { firstIdAt, timeOfId } from '../../storage/ordered-ids.ts';
import { accountAddress, type ServedDomains } from './served-domains.ts';

const jid = z.string().min(1);

/** What the archive of an account holds, or all archives together. */
export interface ArchiveReport {
  readonly messages: number;
  readonly bytes: number;
  /** The times of the first and the last message; absent without any. */
  readonly oldestMs?: number | undefined;
  readonly newestMs?: number | undefined;
}

/** Measures the archive of an account, or all archives, in which a message of two accounts counts once. */
export const archiveUsage = operation({
  method: 'GET',
  path: '/archives/usage',
  input: z.strictObject({ jid: jid.optional() }),
  run: async (served: ServedDomains, { jid: text }): Promise<ArchiveReport> => {
    const archive = text === undefined ? undefined : await archiveOf(served, text);
    const { messages, bytes, firstId, lastId } = await served.storage.archive.usage(archive);
    const timeOf = (id: number | undefined) => (id === undefined ? undefined : timeOfId(id));
    return { messages, bytes, oldestMs: timeOf(firstId), newestMs: timeOf(lastId) };
  },
});

/** Removes the messages of the archive of an account: all, or those before a time. With `atLeast` it may end when it has removed so many. */
export const purgeArchive = operation({
  method: 'DELETE',
  path: '/archives',
  input: z.strictObject({
    jid,
    beforeMs: z.coerce.number().int().optional(),
    atLeast: z.coerce.number().int().positive().optional(),
  }),
  run: async (served: ServedDomains, { jid: text, beforeMs, atLeast }) => {
    const archive = await archiveOf(served, text);
    const { archive: store } = served.storage;
    const end = beforeMs === undefined ? store.newId() : firstIdAt(beforeMs);
    return { removed: await store.purge(archive, end, atLeast) };
  },
});

async function archiveOf(served: ServedDomains, text: string): Promise<number> {
  const owner = accountAddress(served, text).toString();
  const record = await served.storage.archive.open(owner);
  if (!record) throw new OperationError('not-found', `There is no account ${owner}.`);
  return record.archive;
}
