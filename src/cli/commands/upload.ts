import type { StoredUpload } from '../../storage/uploads.ts';
import { type Cli, group, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printDone, printJson, printLines } from '../context.ts';
import type { ControlClient } from '../control-client.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { operations } from '../operations.ts';
import { withRunningServer } from '../with-operations.ts';

const pageSize = 1000;
const accountsShown = 20;

/** Adds `upload`, the commands for uploaded files. The server must run. */
export const uploadCommand = group('upload', 'Show and remove uploaded files', [
  uploadUsageCommand,
  uploadListCommand,
  uploadRemoveCommand,
]);

function uploadUsageCommand(cli: Cli, context: Context): void {
  cli.command(
    'usage',
    'Show the size of all uploaded files, and the accounts that use the most space',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const usage = await withRunningServer(location, (server) =>
        server.call(operations.uploadUsage, { limit: accountsShown }),
      );
      if (json) return printJson(context, usage);
      const rows = usage.accounts.map(({ owner, files, bytes }) => [owner, filesText(files), sizeText(bytes)]);
      printLines(context, [`In all: ${sizeText(usage.bytes)}`, ...aligned(rows)]);
    },
  );
}

function uploadListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list [url]',
    'List uploaded files, latest first; with a URL, only that file and its owner',
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
  const all: StoredUpload[] = [];
  for (let more = true; more; ) {
    const { uploads } = await server.call(operations.listUploads, {
      ...wanted,
      before: all.at(-1)?.number,
      limit: pageSize,
    });
    all.push(...uploads);
    more = uploads.length === pageSize;
  }
  return all;
}

function row({ id, owner, name, type, size, uploadedAtMs }: StoredUpload): string[] {
  return [id, new Date(uploadedAtMs).toISOString(), owner, sizeText(size), harmless(type), harmless(name)];
}

function uploadRemoveCommand(cli: Cli, context: Context): void {
  const remove = (removal: Removal) => removeFiles(removal, context);
  cli.command('rm [url]', 'Remove one file, the files of an account, or old files', removeOptions, remove);
  // Its older name, which the help does not show.
  cli.command('remove [url]', false, removeOptions, remove);
}

function removeOptions(options: Cli) {
  return jsonOption(userOption(urlArgument(options))).option('older', {
    type: 'number',
    requiresArg: true,
    describe: 'Only files older than this number of days',
  });
}

/** Which files to remove, and how to say so. */
type Removal = Awaited<ReturnType<typeof removeOptions>['argv']>;

async function removeFiles({ url, user, older, json, config: file }: Removal, context: Context): Promise<void> {
  if (url === undefined && user === undefined && older === undefined)
    throw new CommandError(exitCodes.usage, 'Give the URL of a file, --user or --older.');
  const location = await locateServer(context, file);
  const { removed } = await withRunningServer(location, (server) =>
    server.call(operations.removeUploads, { url, user, olderThanDays: older }),
  );
  printDone(context, json, { removed }, `${filesText(removed)} ${removed === 1 ? 'was' : 'were'} removed.`);
}

function urlArgument(options: Cli) {
  return options.positional('url', { type: 'string', describe: 'URL or id of a file' });
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
