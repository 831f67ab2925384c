import { type Cli, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printDone } from '../context.ts';
import { operations } from '../operations.ts';
import { passwordFrom, passwordOptions } from '../password.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user add`. */
export function userAddCommand(cli: Cli, context: Context): void {
  cli.command(
    'add <jid>',
    'Create an account',
    (options) => passwordOptions(jsonOption(jidArgument(options, 'Address of the account, such as romeo@example.org'))),
    async ({ jid, json, config: file, ...options }) => {
      const location = await locateServer(context, file);
      const password = await passwordFrom(context, options);
      const request = { jid, password };
      const added = await withServerOrData(location, (operator) => operator.call(operations.addUser, request), {
        create: true,
      });
      printDone(context, json, added, `${added.jid} was created.`);
    },
  );
}
