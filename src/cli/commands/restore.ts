import { resolve } from 'node:path';
import { dataPaths } from '../../storage/sqlite/data-directory.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, printDone } from '../context.ts';
import { ControlClient } from '../control-client.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { CopyProgress } from '../progress.ts';
import { refuseForeignOwner } from '../with-operations.ts';

/** Adds `restore`. */
export function restoreCommand(cli: Cli, context: Context): void {
  cli.command(
    'restore <file>',
    'Replace the database of a stopped server with a backup',
    (options) =>
      jsonOption(options).positional('file', { type: 'string', demandOption: true, describe: 'Backup to restore' }),
    async ({ file, json, config: configFile }) => {
      const { dataDir } = await readConfiguration(context, configFile);
      if ((await ControlClient.connect(dataDir)) !== undefined) {
        throw new CommandError(exitCodes.conflict, 'The server is running: stop it first.');
      }
      refuseForeignOwner(dataDir);
      const { restoreDatabase } = await import('../../storage/sqlite/restore-database.ts');
      const backup = resolve(context.directory, file);
      const progress = new CopyProgress(context, dataPaths(dataDir).restoring);
      const kept = await restoreDatabase(backup, dataDir).finally(() => progress.end());
      const note = kept === undefined ? '' : ` The previous database is kept as ${kept}.`;
      printDone(context, json, { file: backup, kept }, `The backup was restored.${note}`);
    },
  );
}
