import { resolve } from 'node:path';
import type { Cli } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `backup`. */
export function backupCommand(cli: Cli, context: Context): void {
  cli.command(
    'backup <file>',
    'Copy the database to a new file, also while the server runs',
    (options) => options.positional('file', { type: 'string', demandOption: true, describe: 'The new file' }),
    async ({ file, config: configFile }) => {
      const config = await readConfiguration(context, configFile);
      const target = resolve(context.directory, file);
      await withServerOrData(config, (operations) => operations.backup(target));
      printLines(context, [`The database was copied to ${target}.`]);
    },
  );
}
