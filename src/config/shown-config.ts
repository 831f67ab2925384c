import type { Config } from './schema.ts';

/** The keys whose values are secrets wherever they stand. */
export const secretKeys: ReadonlySet<string> = new Set(['passphrase', 'password', 'secret', 'token']);

const hidden = '(hidden)';

/** The configuration without its secrets, for operators. */
export function shownConfig(config: Config): object {
  return JSON.parse(JSON.stringify(config, (key, value) => (isSecret(key, value) ? hidden : value)));
}

function isSecret(key: string, value: unknown): boolean {
  return typeof value === 'string' && secretKeys.has(key);
}
