import type { ExtensionOptions } from '../extensions/index.ts';
import type { Config } from './schema.ts';

const unlimited = { perSecond: Number.MAX_SAFE_INTEGER, burst: Number.MAX_SAFE_INTEGER };

/** What the configuration decides about extensions. */
export function extensionOptions(config: Config): ExtensionOptions {
  const { amp, limits } = config;
  return {
    ...config,
    amp: limits.disabled ? { ...amp, replies: unlimited } : amp,
    components: Object.keys(config.components),
  };
}
