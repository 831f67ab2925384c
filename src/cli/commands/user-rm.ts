import { type Cli, jidArgument } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user rm`. */
export function userRemoveCommand(cli: Cli, context: Context): void {
  cli.command(
    'rm <jid>',
    'Remove an account with all its data and end its sessions',
    (options) => jidArgument(options, 'Address of the account'),
    async ({ jid, config: file }) => {
      const location = await locateServer(context, file);
      const { removeUser } = await import('../../web/control/user-operations.ts');
      await withServerOrData(location, (operator) => operator.call(removeUser, { jid }));
      printLines(context, [`${jid} was removed.`]);
    },
  );
}
