import { resolve } from 'node:path';
import type { Cli } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `backup`. */
export function backupCommand(cli: Cli, context: Context): void {
  cli.command(
    'backup <file>',
    'Copy the database to a new file; the server may be running',
    (options) => options.positional('file', { type: 'string', demandOption: true, describe: 'File to create' }),
    async ({ file, config: configFile }) => {
      const config = await readConfiguration(context, configFile);
      const target = resolve(context.directory, file);
      const { backup } = await import('../../web/control/server-operations.ts');
      await withServerOrData(config, (operator) => operator.call(backup, { file: target }));
      printLines(context, [`The database was copied to ${target}.`]);
    },
  );
}
