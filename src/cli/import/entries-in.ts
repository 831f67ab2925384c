import { once } from 'node:events';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { SendArchived } from './archive-upload.ts';
import { csvUsers } from './csv-users.ts';
import { dumpStart, EjabberdDump } from './ejabberd-dump.ts';
import { ErlangSyntaxError } from './erlang-terms.ts';
import type { Entry } from './found-user.ts';

/** The entries of a file. Archives are sent ahead of the accounts that they belong to. */
type Entries = (send: SendArchived) => AsyncIterable<Entry>;

/**
 * Reads the accounts in a file, or in standard input for `-`. Input that begins with `<` is XEP-0227, with `{tables,` a dump of ejabberd, and
 * any other is CSV. A directory is the data directory of Prosody.
 */
export async function entriesIn(context: Context, file: string, nowMs: number): Promise<Entries> {
  const path = resolve(context.directory, file);
  if (file !== '-' && !existsSync(path)) throw new CommandError(exitCodes.conflict, `There is no file ${path}.`);
  if (file !== '-' && statSync(path).isDirectory()) return prosodyEntries(path, nowMs);
  const input = file === '-' ? context.stdin : createReadStream(path);
  const start = await firstChunk(input);
  // The input has ended already: a reader that starts now would wait for the end forever.
  if (start === undefined) return () => csvUsers(Readable.from([]));
  input.unshift(start);
  if (beginsWith(start, dumpStart)) {
    if (file !== '-') input.destroy();
    return ejabberdEntries(file === '-' ? undefined : path, nowMs);
  }
  if (!beginsWith(start, '<')) return () => csvUsers(input);
  const [{ portableUsers }, { portableEvents }] = await Promise.all([
    import('./portable-users.ts'),
    import('./portable-files.ts'),
  ]);
  const source =
    file === '-' ? { name: 'standard input', directory: context.directory } : { name: file, directory: dirname(path) };
  return (send) => portableUsers(portableEvents({ ...source, input }), nowMs, send);
}

async function prosodyEntries(path: string, nowMs: number): Promise<Entries> {
  const [{ portableUsers }, { isProsodyDirectory, prosodyEvents }] = await Promise.all([
    import('./portable-users.ts'),
    import('./prosody-directory.ts'),
  ]);
  if (existsSync(join(path, 'schema.DAT')))
    throw new CommandError(
      exitCodes.conflict,
      `${path} is the database of ejabberd. Write it into a file with 'ejabberdctl dump FILE', and import that.`,
    );
  if (!(await isProsodyDirectory(path)))
    throw new CommandError(
      exitCodes.conflict,
      `${path} is not a data directory of Prosody: no host in it has accounts.`,
    );
  return (send) => portableUsers(prosodyEvents(path), nowMs, send);
}

/** The accounts in a dump, of which the records of an account may be anywhere. */
async function ejabberdEntries(path: string | undefined, nowMs: number): Promise<Entries> {
  if (path === undefined)
    throw new CommandError(
      exitCodes.usage,
      'Name the file with the dump of ejabberd: it cannot be read from standard input.',
    );
  const [{ ejabberdUsers }, dump] = await Promise.all([import('./ejabberd-users.ts'), openDump(path)]);
  return (send) => ejabberdUsers(dump, nowMs, send);
}

/** Opens a dump of ejabberd. Throws CommandError if it is incomplete. */
export async function openDump(path: string): Promise<EjabberdDump> {
  try {
    return await EjabberdDump.open(path);
  } catch (error) {
    if (!(error instanceof ErlangSyntaxError)) throw error;
    throw new CommandError(exitCodes.conflict, `${path} is not a complete dump of ejabberd: ${error.message}.`);
  }
}

function beginsWith(chunk: unknown, start: string): boolean {
  const text = Buffer.isBuffer(chunk) ? chunk.toString('utf8') : String(chunk);
  return text
    .replace(/^\uFEFF/, '')
    .trimStart()
    .startsWith(start);
}

/** The first bytes, or undefined for empty input. Rejects if the input cannot be read. */
async function firstChunk(input: Readable): Promise<unknown> {
  for (let chunk: unknown = input.read(); ; chunk = input.read()) {
    if (chunk !== null) return chunk;
    if (input.readableEnded) return undefined;
    await Promise.race([once(input, 'readable'), once(input, 'end')]);
  }
}
