import type { AmpOptions } from '../extensions/amp/settings.ts';
import type { Config } from './schema.ts';

const unlimited = { perSecond: Number.MAX_SAFE_INTEGER, burst: Number.MAX_SAFE_INTEGER };

/** What the configuration decides about AMP. */
export function ampOptions({ amp, limits }: Pick<Config, 'amp' | 'limits'>): AmpOptions {
  return limits.disabled ? { ...amp, replies: unlimited } : amp;
}
