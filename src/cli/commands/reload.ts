import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `reload`. */
export function reloadCommand(cli: Cli, context: Context): void {
  cli.command(
    'reload',
    'Reload the configuration and certificates of the running server',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const { waiting } = await withRunningServer(location, (server) => server.call(operations.reload, {}));
      if (json) return printJson(context, { waiting });
      printLines(context, [
        'The server reloaded its configuration and certificates.',
        ...waiting.map((key) => `${key} needs a restart.`),
      ]);
    },
  );
}
