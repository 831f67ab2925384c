import type { Forward } from '../../storage/accounts.ts';
import type { Operator } from '../../web/control/operator.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { type Cli, jidArgument, jsonOption, requireCommand } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, printJson, printLines } from '../context.ts';
import { withServerOrData } from '../with-operations.ts';

const pageSize = 5000;
const commands = [forwardSetCommand, forwardRemoveCommand, forwardListCommand];

/** Adds `forward`, the commands for forwarded accounts. They also work while the server is stopped. */
export function forwardCommand(cli: Cli, context: Context): void {
  cli.command('forward', 'Forward the messages of accounts to other addresses', (options) => {
    for (const add of commands) add(options, context);
    return requireCommand(options, 'ampere forward');
  });
}

function forwardSetCommand(cli: Cli, context: Context): void {
  cli.command(
    'set <jid> <target>',
    'Forward the messages of an account',
    (options) =>
      jidArgument(options, 'Address of the account').positional('target', {
        type: 'string',
        demandOption: true,
        describe: 'Address that gets the messages',
      }),
    async ({ jid, target, config: file }) => {
      const location = await locateServer(context, file);
      const { setForward } = await import('../../web/control/user-operations.ts');
      await withServerOrData(location, (operator) => operator.call(setForward, { jid, target }));
      printLines(context, [`Messages to ${jid} are now forwarded to ${target}.`]);
    },
  );
}

function forwardRemoveCommand(cli: Cli, context: Context): void {
  cli.command(
    'rm <jid>',
    'Stop forwarding the messages of an account',
    (options) => jidArgument(options, 'Address of the account'),
    async ({ jid, config: file }) => {
      const location = await locateServer(context, file);
      const { removeForward } = await import('../../web/control/user-operations.ts');
      await withServerOrData(location, (operator) => operator.call(removeForward, { jid }));
      printLines(context, [`Messages to ${jid} are no longer forwarded.`]);
    },
  );
}

function forwardListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List the forwarded accounts',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const forwards = await withServerOrData(location, allForwards);
      if (json) printJson(context, { forwards });
      else printLines(context, aligned(forwards.map(({ jid, target }) => [jid, target])));
    },
  );
}

async function allForwards(operator: Operator<ServedDomains>): Promise<Forward[]> {
  const { listForwards } = await import('../../web/control/user-operations.ts');
  const all: Forward[] = [];
  for (let more = true; more; ) {
    const { forwards } = await operator.call(listForwards, { after: all.at(-1)?.jid, limit: pageSize });
    all.push(...forwards);
    more = forwards.length === pageSize;
  }
  return all;
}
