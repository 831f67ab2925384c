import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The upstream version of an installed Debian package. */
export async function debianVersion(name: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('dpkg-query', ['--show', '--showformat', '${db:Status-Status} ${Version}', name]);
    const [status, version] = stdout.split(' ');
    return status === 'installed' ? version?.replace(/^\d+:|-[^-]*$/g, '') : undefined;
  } catch {
    return undefined;
  }
}
