import type { BlockedDomain } from '../../storage/moderation.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { aligned, type Context, harmless, printJson, printLines } from '../context.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `block`. */
export function blockCommand(cli: Cli, context: Context): void {
  cli.command(
    'block <domain>',
    'Refuse all traffic with another server',
    (options) =>
      domainArgument(options).option('reason', { type: 'string', requiresArg: true, describe: 'A note for yourself' }),
    async ({ domain: given, reason, config: file }) => {
      const config = await readConfiguration(context, file);
      const { blockDomain } = await import('../../web/control/moderation-operations.ts');
      const { domain } = await withServerOrData(config, (operator) =>
        operator.call(blockDomain, { domain: given, reason }),
      );
      printLines(context, [`${domain} is blocked.`]);
    },
  );
}

/** Adds `unblock`. */
export function unblockCommand(cli: Cli, context: Context): void {
  cli.command('unblock <domain>', 'Take back a block', domainArgument, async ({ domain: given, config: file }) => {
    const config = await readConfiguration(context, file);
    const { unblockDomain } = await import('../../web/control/moderation-operations.ts');
    const { domain } = await withServerOrData(config, (operator) => operator.call(unblockDomain, { domain: given }));
    printLines(context, [`${domain} is not blocked any more.`]);
  });
}

/** Adds `blocked`. */
export function blockedCommand(cli: Cli, context: Context): void {
  cli.command(
    'blocked',
    'List the blocked domains',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const config = await readConfiguration(context, file);
      const { listBlockedDomains } = await import('../../web/control/moderation-operations.ts');
      const { domains } = await withServerOrData(config, (operator) => operator.call(listBlockedDomains, {}));
      const { deny } = config.s2s;
      if (json) printJson(context, { domains, configuration: deny });
      else
        printLines(context, aligned([...domains.map(row), ...deny.map((domain) => [domain, 'by the configuration'])]));
    },
  );
}

function domainArgument(options: Cli) {
  return options.positional('domain', {
    type: 'string',
    demandOption: true,
    describe: 'The domain, or *.DOMAIN for all its subdomains',
  });
}

function row({ domain, atMs, reason = '' }: BlockedDomain): string[] {
  return [domain, `since ${new Date(atMs).toISOString()}`, harmless(reason)];
}
