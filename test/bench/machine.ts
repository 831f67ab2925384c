import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const probeMs = 400;
const quietCores = 0.08;
const mostWaitedMs = 5000;

/** The machine results belong to. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly kernel: string;
  readonly node: string;
  readonly openssl: string;
  readonly measuredOn: string;
}

/** Describes this machine. */
export async function describeMachine(): Promise<Machine> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const { stdout: openssl } = await run('openssl', ['version']);
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.cpus().length,
    memoryGb: Math.round(os.totalmem() / 1e9),
    system: /^PRETTY_NAME="([^"]+)"/m.exec(release)?.[1] ?? os.type(),
    kernel: os.release().split('.', 2).join('.'),
    node: process.versions.node,
    openssl: openssl.split(' ')[1] ?? 'unknown',
    measuredOn: new Date().toISOString().slice(0, 10),
  };
}

/** Waits until nothing much runs on the machine, but not for ever. */
export async function untilQuiet(): Promise<void> {
  const deadlineMs = performance.now() + mostWaitedMs;
  while (performance.now() < deadlineMs) {
    const beforeMs = busyMs();
    await sleep(probeMs);
    if ((busyMs() - beforeMs) / probeMs < quietCores) return;
  }
}

function busyMs(): number {
  return os.cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
