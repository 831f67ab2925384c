import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Context } from './context.ts';

/** The way to a server: its data directory, and its configuration for work without the running server. */
export interface ServerLocation {
  readonly dataDir: string;
  /** Reads the whole configuration, once. Rejects with `ConfigError` with all problems. */
  readonly readConfig: () => Promise<Config>;
}

/** The path of the configuration file: from the command line, AMPERE_CONFIG or ./server.json, in this order. Undefined selects the defaults. */
export function configurationFile({ environment, directory }: Context, named: string | undefined): string | undefined {
  const { AMPERE_CONFIG: preset } = environment;
  const chosen = named ?? (preset === '' ? undefined : preset);
  if (chosen !== undefined) return resolve(directory, chosen);
  const usual = join(directory, 'server.json');
  return existsSync(usual) ? usual : undefined;
}

/** Gives a function that reads the configuration anew on each call. It throws `ConfigError` with all problems. */
export async function configurationReader(context: Context, named: string | undefined): Promise<() => Config> {
  // Imported late: `ampere --help` must not load the schema library.
  const { defaultConfig, loadConfig } = await import('../config/load-config.ts');
  const file = configurationFile(context, named);
  return () => (file === undefined ? defaultConfig(context.directory) : loadConfig(file, context.environment));
}

/** Reads the configuration. Throws `ConfigError` with all problems. */
export async function readConfiguration(context: Context, named: string | undefined): Promise<Config> {
  const read = await configurationReader(context, named);
  return read();
}

/**
 * Finds the data directory of a server. A command that calls the running server needs no more of the configuration, and the schema is
 * slow to load. Throws `ConfigError` if the file cannot be read or the directory is invalid.
 */
export async function locateServer(context: Context, named: string | undefined): Promise<ServerLocation> {
  const { dataDirIn, defaultDataDir } = await import('../config/data-dir.ts');
  let config: Promise<Config> | undefined;
  const readConfig = () => {
    config ??= readConfiguration(context, named);
    return config;
  };
  const file = configurationFile(context, named);
  const dataDir = file === undefined ? resolve(context.directory, defaultDataDir) : await dataDirIn(file);
  return { dataDir: dataDir ?? (await readConfig()).dataDir, readConfig };
}
