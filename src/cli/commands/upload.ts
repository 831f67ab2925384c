import type { StoredUpload } from '../../storage/uploads.ts';
import { type Cli, jsonOption, requireCommand } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printJson, printLines } from '../context.ts';
import type { ControlClient } from '../control-client.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { withRunningServer } from '../with-operations.ts';

const pageSize = 1000;
const accountsShown = 20;

/** Adds `upload`, the commands for uploaded files. The server must run. */
export function uploadCommand(cli: Cli, context: Context): void {
  cli.command('upload', 'Show and remove uploaded files', (options) => {
    for (const add of [uploadUsageCommand, uploadListCommand, uploadRemoveCommand]) add(options, context);
    return requireCommand(options, 'ampere upload');
  });
}

function uploadUsageCommand(cli: Cli, context: Context): void {
  cli.command(
    'usage',
    'Show how much is stored, and the accounts with the most',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const { uploadUsage } = await import('../../extensions/upload/upload-operations.ts');
      const usage = await withRunningServer(location, (server) => server.call(uploadUsage, { limit: accountsShown }));
      if (json) return printJson(context, usage);
      const rows = usage.accounts.map(({ owner, files, bytes }) => [owner, filesText(files), sizeText(bytes)]);
      printLines(context, [`In all: ${sizeText(usage.bytes)}`, ...aligned(rows)]);
    },
  );
}

function uploadListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list [url]',
    'List uploaded files, latest first, or show whose file an address is',
    (options) => jsonOption(userOption(urlArgument(options))),
    async ({ url, user, json, config: file }) => {
      const location = await locateServer(context, file);
      const uploads = await withRunningServer(location, (server) => allUploads(server, { url, user }));
      if (json) printJson(context, { uploads });
      else printLines(context, aligned(uploads.map(row)));
    },
  );
}

/** The files of a user, or of all users, or the one at an address. */
interface Wanted {
  readonly url: string | undefined;
  readonly user: string | undefined;
}

async function allUploads(server: ControlClient, wanted: Wanted): Promise<StoredUpload[]> {
  const { listUploads } = await import('../../extensions/upload/upload-operations.ts');
  const all: StoredUpload[] = [];
  for (let more = true; more; ) {
    const { uploads } = await server.call(listUploads, { ...wanted, before: all.at(-1)?.number, limit: pageSize });
    all.push(...uploads);
    more = uploads.length === pageSize;
  }
  return all;
}

function row({ id, owner, name, type, size, uploadedAtMs }: StoredUpload): string[] {
  return [id, new Date(uploadedAtMs).toISOString(), owner, sizeText(size), harmless(type), harmless(name)];
}

function uploadRemoveCommand(cli: Cli, context: Context): void {
  cli.command(
    'remove [url]',
    'Remove the file at an address, or the files of a user, or old files',
    (options) =>
      userOption(urlArgument(options)).option('older', {
        type: 'number',
        requiresArg: true,
        describe: 'Only files that are older than so many days',
      }),
    async ({ url, user, older: olderThanDays, config: file }) => {
      if (url === undefined && user === undefined && olderThanDays === undefined)
        throw new CommandError(exitCodes.usage, 'Name the address of a file, --user or --older.');
      const location = await locateServer(context, file);
      const { removeUploads } = await import('../../extensions/upload/upload-operations.ts');
      const { removed } = await withRunningServer(location, (server) =>
        server.call(removeUploads, { url, user, olderThanDays }),
      );
      printLines(context, [`${filesText(removed)} ${removed === 1 ? 'was' : 'were'} removed.`]);
    },
  );
}

function urlArgument(options: Cli) {
  return options.positional('url', { type: 'string', describe: 'Address or id of a file' });
}

function userOption<T extends ReturnType<typeof urlArgument>>(options: T) {
  return options.option('user', { type: 'string', requiresArg: true, describe: 'Only files of this account' });
}

function filesText(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}

function sizeText(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1 ? `${bytes} bytes` : `${mebibytes.toFixed(1)} MiB`;
}
