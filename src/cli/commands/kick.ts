import { type Cli, jidArgument } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `kick`. */
export function kickCommand(cli: Cli, context: Context): void {
  cli.command(
    'kick <jid>',
    'End one session, or all sessions of an account',
    (options) =>
      jidArgument(options, 'Full address of the session, or address of the account').option('reason', {
        type: 'string',
        requiresArg: true,
        describe: 'Text that the client gets',
      }),
    async ({ jid, reason, config: file }) => {
      const location = await locateServer(context, file);
      const { kick } = await import('../../web/control/session-operations.ts');
      const { ended } = await withRunningServer(location, (server) => server.call(kick, { jid, reason }));
      printLines(
        context,
        ended.map((session) => `${session} was disconnected.`),
      );
    },
  );
}
