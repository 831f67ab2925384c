import { type Cli, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printDone } from '../context.ts';
import { operations } from '../operations.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user rm`. */
export function userRemoveCommand(cli: Cli, context: Context): void {
  cli.command(
    'rm <jid>',
    'Remove an account with all its data and end its sessions',
    (options) => jsonOption(jidArgument(options, 'Address of the account')),
    async ({ jid, json, config: file }) => {
      const location = await locateServer(context, file);
      await withServerOrData(location, (operator) => operator.call(operations.removeUser, { jid }));
      printDone(context, json, { jid }, `${jid} was removed.`);
    },
  );
}
