import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { partialCopy } from '../../storage/sqlite/data-directory.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { Progress } from '../progress.ts';
import { withServerOrData } from '../with-operations.ts';

/** Milliseconds between two looks at the copy. */
const lookMs = 200;

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
      const progress = new CopyProgress(context, target);
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

/** Says how large a copy is that somebody else writes: a server, or a thread. */
class CopyProgress {
  readonly #progress: Progress;
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  constructor(context: Context, target: string) {
    this.#progress = new Progress(context, 'MiB copied', 2 ** 20);
    this.#timer = setInterval(() => this.#look(partialCopy(target)), lookMs);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#progress.end();
  }

  /** The copy gets its name when it is complete. */
  #look(file: string): void {
    const bytes = Math.max(this.#bytes, sizeOf(file));
    this.#progress.step(bytes - this.#bytes);
    this.#bytes = bytes;
  }
}

/** The size of a file; 0 if it cannot be seen. */
function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

async function verified(file: string) {
  const { verifyBackup } = await import('../../storage/sqlite/verify-backup.ts');
  return verifyBackup(file);
}
