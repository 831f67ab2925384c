import type { Forward } from '../../storage/accounts.ts';
import type { Operator } from '../../web/control/operator.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { type Cli, group, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, printDone, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withServerOrData } from '../with-operations.ts';

const pageSize = 5000;
const commands = [forwardSetCommand, forwardRemoveCommand, forwardListCommand];

/** Adds `forward`, the commands for forwarded accounts. They also work while the server is stopped. */
export const forwardCommand = group('forward', 'Forward the messages of accounts to other addresses', commands);

function forwardSetCommand(cli: Cli, context: Context): void {
  cli.command(
    'set <jid> <target>',
    'Forward the messages of an account',
    (options) =>
      jsonOption(jidArgument(options, 'Address of the account')).positional('target', {
        type: 'string',
        demandOption: true,
        describe: 'Address that gets the messages',
      }),
    async ({ jid, target, json, config: file }) => {
      const location = await locateServer(context, file);
      await withServerOrData(location, (operator) => operator.call(operations.setForward, { jid, target }));
      printDone(context, json, { jid, target }, `Messages to ${jid} are now forwarded to ${target}.`);
    },
  );
}

function forwardRemoveCommand(cli: Cli, context: Context): void {
  cli.command(
    'rm <jid>',
    'Stop forwarding the messages of an account',
    (options) => jsonOption(jidArgument(options, 'Address of the account')),
    async ({ jid, json, config: file }) => {
      const location = await locateServer(context, file);
      await withServerOrData(location, (operator) => operator.call(operations.removeForward, { jid }));
      printDone(context, json, { jid }, `Messages to ${jid} are no longer forwarded.`);
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
  const all: Forward[] = [];
  for (let more = true; more; ) {
    const { forwards } = await operator.call(operations.listForwards, { after: all.at(-1)?.jid, limit: pageSize });
    all.push(...forwards);
    more = forwards.length === pageSize;
  }
  return all;
}
