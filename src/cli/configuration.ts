import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { Context } from './context.ts';

/** The configuration file in use: the one named on the command line, by AMPERE_CONFIG, or ./server.json; none for the defaults. */
export function configurationFile({ environment, directory }: Context, named: string | undefined): string | undefined {
  const { AMPERE_CONFIG: preset } = environment;
  const chosen = named ?? (preset === '' ? undefined : preset);
  if (chosen !== undefined) return resolve(directory, chosen);
  const usual = join(directory, 'server.json');
  return existsSync(usual) ? usual : undefined;
}

/** A function that reads the configuration, now or again; it throws `ConfigError` with everything that is wrong. */
export async function configurationReader(context: Context, named: string | undefined): Promise<() => Config> {
  // Checking a configuration takes a library, which `ampere --help` should not wait for.
  const { defaultConfig, loadConfig } = await import('../config/load-config.ts');
  const file = configurationFile(context, named);
  return () => (file === undefined ? defaultConfig(context.directory) : loadConfig(file, context.environment));
}

/** Reads the configuration; throws `ConfigError` with everything that is wrong. */
export async function readConfiguration(context: Context, named: string | undefined): Promise<Config> {
  const read = await configurationReader(context, named);
  return read();
}
