import { Buffer } from 'node:buffer';
import { join, relative } from 'node:path';
import { OperationError } from '../../routing/operation-error.ts';

/** The size of sun_path without its final NUL: 108 bytes on Linux, 104 elsewhere. */
const longestPathBytes = process.platform === 'linux' ? 107 : 103;

/** The path of the control socket of a data directory. */
export function controlSocketPath(dataDir: string): string {
  return join(dataDir, 'control.sock');
}

/** The path in a form that fits into a socket address: relative to the working directory if the absolute path is too long. */
export function socketAddress(path: string): string {
  const found = [path, relative(process.cwd(), path)].find((name) => Buffer.byteLength(name) <= longestPathBytes);
  if (found !== undefined) return found;
  throw new OperationError(
    'configuration',
    `${path} is too long for a socket (at most ${longestPathBytes} bytes): choose a shorter dataDir.`,
  );
}
