import type { Cli } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `reload`. */
export function reloadCommand(cli: Cli, context: Context): void {
  cli.command(
    'reload',
    'Reload the configuration and certificates of the running server',
    (options) => options,
    async ({ config: file }) => {
      const location = await locateServer(context, file);
      const { reload } = await import('../../web/control/server-operations.ts');
      const { waiting } = await withRunningServer(location, (server) => server.call(reload, {}));
      printLines(context, [
        'The server reloaded its configuration and certificates.',
        ...waiting.map((key) => `${key} needs a restart.`),
      ]);
    },
  );
}
