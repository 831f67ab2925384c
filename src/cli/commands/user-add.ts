import { type Cli, jidArgument } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { passwordFrom, passwordOptions } from '../password.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user add`. */
export function userAddCommand(cli: Cli, context: Context): void {
  cli.command(
    'add <jid>',
    'Create an account',
    (options) => passwordOptions(jidArgument(options, 'Address of the account, such as romeo@example.org')),
    async ({ jid, config: file, ...options }) => {
      const location = await locateServer(context, file);
      const password = await passwordFrom(context, options);
      const { addUser } = await import('../../web/control/user-operations.ts');
      const request = { jid, password };
      const added = await withServerOrData(location, (operator) => operator.call(addUser, request), { create: true });
      printLines(context, [`${added.jid} was created.`]);
    },
  );
}
