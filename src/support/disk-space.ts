import { statfsSync } from 'node:fs';

/** The space of a file system. */
export interface DiskSpace {
  /** Free bytes for processes without privileges. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** The space of the file system at `path`. Synchronous: the kernel answers without reading the disk. */
export function diskSpaceAt(path: string): DiskSpace {
  const { bsize, bavail, blocks } = statfsSync(path);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}
