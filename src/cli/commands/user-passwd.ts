import { type Cli, jidArgument } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { passwordFrom, passwordOptions } from '../password.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user passwd`. */
export function userPasswdCommand(cli: Cli, context: Context): void {
  cli.command(
    'passwd <jid>',
    'Change the password of an account and end its sessions',
    (options) => passwordOptions(jidArgument(options, 'Address of the account')),
    async ({ jid, config: file, ...options }) => {
      const location = await locateServer(context, file);
      const password = await passwordFrom(context, options);
      const { setPassword } = await import('../../web/control/user-operations.ts');
      await withServerOrData(location, (operator) => operator.call(setPassword, { jid, password }));
      printLines(context, [`The password of ${jid} was changed.`]);
    },
  );
}
