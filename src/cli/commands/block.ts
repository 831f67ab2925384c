import type { BlockedDomain } from '../../storage/moderation.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer, type ServerLocation } from '../configuration.ts';
import { aligned, type Context, harmless, printDone, printJson, printLines } from '../context.ts';
import { ControlClient } from '../control-client.ts';
import { operations } from '../operations.ts';
import { withRunningServer, withServerOrData } from '../with-operations.ts';

/** Adds `block`. */
export function blockCommand(cli: Cli, context: Context): void {
  cli.command(
    'block <domain>',
    'Refuse all traffic with another server',
    (options) =>
      jsonOption(domainArgument(options)).option('reason', {
        type: 'string',
        requiresArg: true,
        describe: 'Note that "blocked" shows',
      }),
    async ({ domain: given, reason, json, config: file }) => {
      const location = await locateServer(context, file);
      const { domain } = await withServerOrData(location, (operator) =>
        operator.call(operations.blockDomain, { domain: given, reason }),
      );
      printDone(context, json, { domain }, `${domain} is blocked.`);
    },
  );
}

/** Adds `unblock`. */
export function unblockCommand(cli: Cli, context: Context): void {
  cli.command(
    'unblock <domain>',
    'Stop blocking another server',
    (options) => jsonOption(domainArgument(options)),
    async ({ domain: given, json, config: file }) => {
      const location = await locateServer(context, file);
      const { domain } = await withServerOrData(location, (operator) =>
        operator.call(operations.unblockDomain, { domain: given }),
      );
      printDone(context, json, { domain }, `${domain} is no longer blocked.`);
    },
  );
}

/** Adds `blocked`. With an address it says which block lists of other servers have it. */
export function blockedCommand(cli: Cli, context: Context): void {
  cli.command(
    'blocked [address]',
    'List the blocked domains and the followed block lists; with an address, the lists that contain it',
    (options) => jsonOption(options).positional('address', { type: 'string', describe: 'An address or a domain' }),
    async ({ address, json, config: file }) => {
      const location = await locateServer(context, file);
      if (address !== undefined) return find(context, location, address, json);
      const { domains, configuration } = await withServerOrData(location, (operator) =>
        operator.call(operations.listBlockedDomains, {}),
      );
      const lists = await followedLists(location);
      if (json) return printJson(context, { domains, configuration, lists });
      const denied = configuration.map((domain) => [domain, 'by the configuration']);
      printLines(context, aligned([...domains.map(row), ...denied, ...lists.map(listRow)]));
    },
  );
}

/** The lists that the running server follows; none if no server is running. */
async function followedLists({ dataDir }: ServerLocation) {
  const server = await ControlClient.connect(dataDir);
  if (!server) return [];
  return (await server.call(operations.listBlockLists, {})).lists;
}

async function find(context: Context, location: ServerLocation, address: string, json: boolean): Promise<void> {
  const { lists } = await withRunningServer(location, (server) =>
    server.call(operations.findInBlockLists, { address }),
  );
  if (json) printJson(context, { address, lists });
  else printLines(context, lists.length > 0 ? lists : [`No block list has ${address}.`]);
}

function listRow({ uri, entries, followed, readAt, problem = '' }: Awaited<ReturnType<typeof followedLists>>[number]) {
  const state = followed ? 'followed' : 'not followed';
  return [uri, `${entries} entries`, state, readAt === undefined ? '' : `read ${readAt}`, harmless(problem)];
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
