import { accessSync, constants, existsSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { dataPaths } from '../storage/sqlite/data-directory.ts';
import { lockDirectory } from '../storage/sqlite/directory-lock.ts';
import { StorageError } from '../storage/storage-error.ts';
import { type Finding, findingsAbout } from './finding.ts';

const finding = findingsAbout('data');

/** Checks the data directory: whether this user can use it, whether others can read it, and whether another process uses it. */
export function checkData(dataDir: string, serverRuns: boolean): Finding[] {
  if (!existsSync(dataDir)) return [missing(dataDir)];
  const stats = statSync(dataDir);
  if (!stats.isDirectory()) return [finding('error', `${dataDir} is not a directory.`)];
  if (!writable(dataDir)) return [finding('error', `This user cannot write to ${dataDir}.`)];
  const foreign = ownership(dataDir, stats);
  const free = serverRuns || foreign.length > 0 ? [] : lock(dataDir);
  return [...openness(dataDir, stats), ...foreign, ...free];
}

function missing(dataDir: string): Finding {
  let parent = dirname(dataDir);
  while (!existsSync(parent)) parent = dirname(parent);
  return writable(parent)
    ? finding('ok', `${dataDir} does not exist yet: the server creates it.`)
    : finding('error', `${dataDir} does not exist, and this user cannot create it in ${parent}.`);
}

function writable(directory: string): boolean {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function ownership(dataDir: string, { uid }: Stats): Finding[] {
  const user = process.getuid?.();
  if (user === undefined || user === uid) return [];
  return [
    finding('warning', `${dataDir} belongs to user ${uid}, not to this user (${user}): run the check as that user.`),
  ];
}

function openness(dataDir: string, { mode }: Stats): Finding[] {
  const open = (mode & 0o077) !== 0;
  if (!open) return [finding('ok', `${dataDir} is private.`)];
  return [finding('warning', `${dataDir} is open to other users: run chmod 700 ${dataDir}.`)];
}

/** Tries the lock of an existing database. Without a database it would leave a lock file behind. */
function lock(dataDir: string): Finding[] {
  if (!existsSync(dataPaths(dataDir).database)) return [];
  try {
    lockDirectory(dataDir).release();
    return [];
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return [finding('error', `${error.message}, and it does not answer on its control socket.`)];
  }
}
