import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The upstream version of an installed Debian package. */
export async function debianVersion(name: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('dpkg-query', ['--status', name]);
    const version = /^Version: (?:\d+:)?(.+?)(?:-[^-]*)?$/m.exec(stdout)?.[1];
    return /^Status: .* installed$/m.test(stdout) ? version : undefined;
  } catch {
    return undefined;
  }
}
