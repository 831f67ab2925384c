import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { reachable } from '../config/listener-kinds.ts';
import type { Config } from '../config/schema.ts';
import { dataPaths } from '../storage/sqlite/data-directory.ts';
import { diskSpaceAt } from '../support/disk-space.ts';
import { type Finding, findingsAbout } from './finding.ts';

const finding = findingsAbout('system');

/** Fewer open files than this limit a public server long before its other resources do. */
const fewOpenFiles = 4096;
/** Less free space than one of these is a reason to act. */
const littleSpace = { bytes: 2 ** 30, part: 0.1 };
/** The clock may be set back by this much, in milliseconds. */
const clockToleranceMs = 60_000;

/** What the checks see of the machine. */
export interface Machine {
  /** The limits of a process, as in `/proc/self/limits`; undefined where there is no such file. */
  readonly limits: () => string | undefined;
  readonly nowMs: () => number;
  /** Whether a time server keeps the clock right; undefined if the machine does not say. */
  readonly isClockSynchronized: () => Promise<boolean | undefined>;
  readonly diskSpace: typeof diskSpaceAt;
}

/** Checks the limit on open files, the disk and the clock. */
export async function checkSystem(config: Config, machine: Machine = thisMachine): Promise<Finding[]> {
  return [
    ...openFiles(config, machine.limits()),
    ...disk(config.dataDir, machine.diskSpace),
    ...(await clock(config.dataDir, machine)),
  ];
}

function openFiles(config: Config, limits: string | undefined): Finding[] {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits ?? '') ?? [];
  if (soft === undefined) return [];
  const count = Number(soft);
  if (count >= fewOpenFiles || !reachable(config)) return [finding('ok', `A process may open ${count} files.`)];
  const advice = 'raise LimitNOFILE in the unit, or ulimit -n';
  return [finding('warning', `A process may open only ${count} files, and each connection needs one: ${advice}.`)];
}

function disk(dataDir: string, diskSpace: Machine['diskSpace']): Finding[] {
  const { freeBytes, totalBytes } = diskSpace(existingParent(dataDir));
  const free = `${(freeBytes / 2 ** 30).toFixed(1)} of ${(totalBytes / 2 ** 30).toFixed(1)} GiB are free`;
  const isLittle = freeBytes < littleSpace.bytes || freeBytes < totalBytes * littleSpace.part;
  return [finding(isLittle ? 'warning' : 'ok', `On the disk of ${dataDir}, ${free}.`)];
}

function existingParent(directory: string): string {
  let found = directory;
  while (!existsSync(found)) found = dirname(found);
  return found;
}

/** Ages of messages, expiry times of rules and certificates depend on the clock. */
async function clock(dataDir: string, { nowMs, isClockSynchronized }: Machine): Promise<Finding[]> {
  const written = statSync(dataPaths(dataDir).database, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (written > nowMs() + clockToleranceMs) {
    const at = new Date(written).toISOString();
    return [finding('error', `The clock is wrong: the database was last written at ${at}, which is in the future.`)];
  }
  const isSynchronized = await isClockSynchronized();
  if (isSynchronized === undefined) return [];
  if (isSynchronized) return [finding('ok', 'The clock is synchronized.')];
  return [finding('warning', 'The clock is not synchronized with a time server: see timedatectl.')];
}

const thisMachine: Machine = {
  limits: () => {
    try {
      return readFileSync('/proc/self/limits', 'utf8');
    } catch {
      return undefined;
    }
  },
  nowMs: () => Date.now(),
  isClockSynchronized: async () => {
    try {
      const { stdout } = await promisify(execFile)('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
      return stdout.trim() === 'yes';
    } catch {
      // A machine without systemd, or a container.
      return undefined;
    }
  },
  diskSpace: diskSpaceAt,
};
