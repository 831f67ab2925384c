import { type Cli, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printDone } from '../context.ts';
import { operations } from '../operations.ts';
import { passwordFrom, passwordOptions } from '../password.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user passwd`. */
export function userPasswdCommand(cli: Cli, context: Context): void {
  cli.command(
    'passwd <jid>',
    'Change the password of an account and end its sessions',
    (options) => passwordOptions(jsonOption(jidArgument(options, 'Address of the account'))),
    async ({ jid, json, config: file, ...options }) => {
      const location = await locateServer(context, file);
      const password = await passwordFrom(context, options);
      await withServerOrData(location, (operator) => operator.call(operations.setPassword, { jid, password }));
      printDone(context, json, { jid }, `The password of ${jid} was changed.`);
    },
  );
}
