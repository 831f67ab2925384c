import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Cli, jidArgument } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user export`. */
export function userExportCommand(cli: Cli, context: Context): void {
  cli.command(
    'export <jid>',
    'Write an account, or all accounts of a domain, as a XEP-0227 file',
    (options) =>
      jidArgument(options, 'Account or domain').option('out', {
        type: 'string',
        requiresArg: true,
        describe: 'File to create; otherwise standard output',
      }),
    async ({ jid, out, config: configFile }) => {
      const config = await readConfiguration(context, configFile);
      const [{ exportedDocument }, { operatorAddress }] = await Promise.all([
        import('../export/export-users.ts'),
        import('../../routing/operation.ts'),
      ]);
      const lose = (account: string, what: string) => context.stderr.write(`${account}: left out: ${what}\n`);
      await withServerOrData(config, async (operator) => {
        const pieces = exportedDocument({ operator, lose }, operatorAddress(jid));
        if (out !== undefined) return writeFile(context, out, pieces);
        for await (const piece of pieces) context.stdout.write(piece);
      });
    },
  );
}

/** Creates a file that only its owner can read. A file that cannot be completed is removed. */
async function writeFile(context: Context, out: string, pieces: AsyncIterable<string>): Promise<void> {
  const path = resolve(context.directory, out);
  const file = await create(path);
  try {
    for await (const piece of pieces) await file.write(piece);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  printLines(context, [`Written to ${path}.`]);
}

async function create(path: string) {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw isThere ? new CommandError(exitCodes.conflict, `${path} exists already.`) : error;
  }
}
