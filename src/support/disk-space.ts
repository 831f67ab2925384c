import { statfsSync } from 'node:fs';

/** How much room a file system has. */
export interface DiskSpace {
  /** What processes without privileges may still take. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Asks the kernel, which knows without looking at the disk. */
export function diskSpaceAt(path: string): DiskSpace {
  const { bsize, bavail, blocks } = statfsSync(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
