import type { Administration, AdministrationQuery } from '../../storage/administrations.ts';
import type { Operator } from '../../web/control/operator.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printJson, printLines } from '../context.ts';
import { durationMs } from '../duration.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { operations } from '../operations.ts';
import { withServerOrData } from '../with-operations.ts';

const pageSize = 1000;

/** Adds `audit`. */
export function auditCommand(cli: Cli, context: Context): void {
  cli.command(
    'audit',
    'Show what operators have done, latest first',
    (options) =>
      jsonOption(options)
        .option('since', {
          type: 'string',
          requiresArg: true,
          describe: 'Only actions of the last hours or days, such as 12h or 7d',
        })
        .option('operator', { type: 'string', requiresArg: true, describe: 'Only actions of this user or JID' })
        .option('subject', { type: 'string', requiresArg: true, describe: 'Only actions about this address' })
        .option('limit', { type: 'number', requiresArg: true, default: 100, describe: 'Maximum number of actions' }),
    async ({ json, config: file, since, operator, subject, limit }) => {
      if (!Number.isInteger(limit) || limit < 1) {
        throw new CommandError(exitCodes.usage, '--limit must be a whole number above 0.');
      }
      const location = await locateServer(context, file);
      const sinceMs = since === undefined ? undefined : Date.now() - durationMs('since', since);
      const administrations = await withServerOrData(location, (server) =>
        found(server, { sinceMs, operator, subject, limit }),
      );
      if (json) printJson(context, { administrations });
      else printLines(context, aligned(administrations.map(row)));
    },
  );
}

/** The administrations that fit, read a page at a time. */
async function found(
  server: Operator<ServedDomains>,
  { limit, ...query }: Omit<AdministrationQuery, 'beforeId'>,
): Promise<Administration[]> {
  const all: Administration[] = [];
  for (let more = true; more; ) {
    const wanted = Math.min(pageSize, limit - all.length);
    const { administrations } = await server.call(operations.listAdministrations, {
      ...query,
      before: all.at(-1)?.id,
      limit: wanted,
    });
    all.push(...administrations);
    more = administrations.length === wanted && all.length < limit;
  }
  return all;
}

function row({ atMs, operator, origin, operation, subject = '', result }: Administration): string[] {
  return [new Date(atMs).toISOString(), operator, origin, operation, subject, result].map(harmless);
}
