import { z } from 'zod';
import { type Origin, path } from './fields.ts';

/** The `log` section. */
export function logSchema(origin: Origin) {
  return z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('Lowest level to log.'),
      format: z
        .enum(['auto', 'json', 'pretty'])
        .default('auto')
        .describe('json: one JSON object per line; auto: pretty on a terminal, otherwise json.'),
      file: path(
        origin,
        'Add the lines to this file, which SIGUSR2 opens again. By default, standard output.',
      ).exactOptional(),
    })
    .prefault({})
    .describe('Logging.');
}
