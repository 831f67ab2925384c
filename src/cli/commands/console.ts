import { roles } from '../../web/console/roles.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { operatorName } from '../control-client.ts';
import { operations } from '../operations.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `console`. */
export function consoleCommand(cli: Cli, context: Context): void {
  cli.command(
    'console',
    'Print a link that opens the console in a browser; it works once',
    (options) =>
      jsonOption(options).option('role', {
        choices: roles,
        default: 'operator' as const,
        requiresArg: true,
        describe: 'Rights of its user; an observer cannot change anything',
      }),
    async ({ json, role, config: file }) => {
      const location = await locateServer(context, file);
      const link = await withRunningServer(location, (server) =>
        server.call(operations.newConsoleLink, { operator: operatorName(), role }),
      );
      if (json) printJson(context, link);
      else printLines(context, [link.url, `It works once, for ${Math.round(link.forMs / 60_000)} minutes.`]);
    },
  );
}
