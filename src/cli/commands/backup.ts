import { resolve } from 'node:path';
import { partialCopy } from '../../storage/sqlite/data-directory.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { CopyProgress } from '../progress.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `backup`. */
export function backupCommand(cli: Cli, context: Context): void {
  cli.command(
    'backup <file>',
    'Copy the database to a new file; the server may be running',
    (options) =>
      jsonOption(options)
        .positional('file', { type: 'string', demandOption: true, describe: 'File to create' })
        .option('verify', { type: 'boolean', default: false, describe: 'Read the whole copy and check it' }),
    async ({ file, verify, json, config: configFile }) => {
      const location = await locateServer(context, configFile);
      const target = resolve(context.directory, file);
      const progress = new CopyProgress(context, partialCopy(target));
      await withServerOrData(location, (operator) => operator.call(operations.backup, { file: target })).finally(() =>
        progress.end(),
      );
      const contents = verify ? await verified(target) : undefined;
      if (json) return printJson(context, { file: target, verified: contents });
      printLines(context, [`The database was copied to ${target}.`]);
      if (contents) printLines(context, [`The copy is sound: ${contents.accounts} accounts, ${contents.bytes} bytes.`]);
    },
  );
}

async function verified(file: string) {
  const { verifyBackup } = await import('../../storage/sqlite/verify-backup.ts');
  return verifyBackup(file);
}
