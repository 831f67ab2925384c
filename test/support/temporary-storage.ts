import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { type Clock, systemClock } from '../../src/support/clock.ts';

/** A real store in a directory of its own, which `close` removes. */
export async function openTemporaryStorage(
  clock: Clock = systemClock,
): Promise<{ storage: Storage; dataDir: string; close(): Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ampere-storage-'));
  const storage = await openSqliteStorage({
    dataDir,
    clock,
    onFatal: (error) => {
      throw error;
    },
  });
  const close = async () => {
    await storage.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { storage, dataDir, close };
}
