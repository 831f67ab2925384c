import { type Cli, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `kick`. */
export function kickCommand(cli: Cli, context: Context): void {
  cli.command(
    'kick <jid>',
    'End one session, or all sessions of an account',
    (options) =>
      jsonOption(jidArgument(options, 'Full address of the session, or address of the account')).option('reason', {
        type: 'string',
        requiresArg: true,
        describe: 'Text that the client gets',
      }),
    async ({ jid, reason, json, config: file }) => {
      const location = await locateServer(context, file);
      const { ended } = await withRunningServer(location, (server) => server.call(operations.kick, { jid, reason }));
      if (json) return printJson(context, { ended });
      printLines(
        context,
        ended.map((session) => `${session} was disconnected.`),
      );
    },
  );
}
