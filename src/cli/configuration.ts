import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Context } from './context.ts';

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
