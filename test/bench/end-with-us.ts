import type { ChildProcess } from 'node:child_process';

/** Sees to it that a process we started does not outlive us, however we end. */
export function endWithUs(child: ChildProcess): void {
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.on('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}
