import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** The data directory of a configuration that names none. */
export const defaultDataDir = './data';

/**
 * The absolute path of the data directory in a configuration file, without a check of the other keys: the schema takes several times
 * as long to load. Undefined if the schema would refuse the path. Rejects with `ConfigError` if the file cannot be read or is not JSON.
 */
export async function dataDirIn(file: string): Promise<string | undefined> {
  const value = plainJsonIn(file) ?? (await import('./config-file.ts')).readConfigFile(file).value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const dataDir = 'dataDir' in value ? value.dataDir : defaultDataDir;
  return typeof dataDir === 'string' && dataDir !== '' ? resolve(dirname(resolve(file)), dataDir) : undefined;
}

/** The value in a file of plain JSON; undefined for any other file. The parser that knows comments and explains faults is slow to load. */
function plainJsonIn(file: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file)));
  } catch {
    return undefined;
  }
}
