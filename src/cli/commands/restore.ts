import { resolve } from 'node:path';
import type { Cli } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { ControlClient } from '../control-client.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { refuseForeignOwner } from '../with-operations.ts';

/** Adds `restore`. */
export function restoreCommand(cli: Cli, context: Context): void {
  cli.command(
    'restore <file>',
    'Replace the database of a stopped server by a backup',
    (options) => options.positional('file', { type: 'string', demandOption: true, describe: 'Backup to restore' }),
    async ({ file, config: configFile }) => {
      const { dataDir } = await readConfiguration(context, configFile);
      if ((await ControlClient.connect(dataDir)) !== undefined) {
        throw new CommandError(exitCodes.conflict, 'The server is running: stop it first.');
      }
      refuseForeignOwner(dataDir);
      const { restoreDatabase } = await import('../../storage/sqlite/restore-database.ts');
      const kept = await restoreDatabase(resolve(context.directory, file), dataDir);
      const note = kept === undefined ? '' : ` The previous database is kept as ${kept}.`;
      printLines(context, [`The backup was restored.${note}`]);
    },
  );
}
