import { once } from 'node:events';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { SendArchived } from './archive-upload.ts';
import { csvUsers } from './csv-users.ts';
import { dumpStart, EjabberdDump } from './ejabberd-dump.ts';
import type { EjabberdTables } from './ejabberd-tables.ts';
import { ErlangSyntaxError } from './erlang-terms.ts';
import type { Entry } from './found-user.ts';

/** The document in a directory of `export` that includes all others. It is written last. */
export const mainFile = 'server-data.xml';
/** The file in it with all rooms. */
export const roomsFile = 'rooms.jsonl';
/** The text at the start of a database of SQLite. */
const sqliteStart = 'SQLite format 3\0';

/** What an import needs to know besides its file. */
interface Reading {
  readonly nowMs: number;
  /** The domain of accounts without one, if there is only one here. */
  readonly domains: readonly string[];
}

/** The entries of a file. Archives are sent ahead of the accounts that they belong to. */
type Entries = (send: SendArchived) => AsyncIterable<Entry>;

/**
 * Reads the accounts in a file, or in standard input for `-`. Input that begins with `<` is XEP-0227 or of Openfire, with `{tables,` a dump of
 * ejabberd, a database of SQLite is one of ejabberd, and any other is CSV. A directory is one that `export` has written, or the data directory of Prosody.
 */
export async function entriesIn(context: Context, file: string, { nowMs, domains }: Reading): Promise<Entries> {
  const path = resolve(context.directory, file);
  if (file !== '-' && !existsSync(path)) throw new CommandError(exitCodes.conflict, `There is no file ${path}.`);
  if (file !== '-' && statSync(path).isDirectory()) {
    const exported = join(path, mainFile);
    return existsSync(exported) ? entriesIn(context, exported, { nowMs, domains }) : prosodyEntries(path, nowMs);
  }
  const input = file === '-' ? context.stdin : createReadStream(path);
  const start = await firstChunk(input);
  // The input has ended already: a reader that starts now would wait for the end forever.
  if (start === undefined) return () => csvUsers(Readable.from([]));
  input.unshift(start);
  if (beginsWith(start, dumpStart) || beginsWith(start, sqliteStart)) {
    if (file !== '-') input.destroy();
    return ejabberdEntries(file === '-' ? undefined : path, { nowMs, domains });
  }
  if (!beginsWith(start, '<')) return () => csvUsers(input);
  if (isOpenfire(start)) return openfireEntries({ name: file, input }, { nowMs, domains });
  const [{ portableUsers }, { portableEvents }] = await Promise.all([
    import('./portable-users.ts'),
    import('./portable-files.ts'),
  ]);
  const source =
    file === '-' ? { name: 'standard input', directory: context.directory } : { name: file, directory: dirname(path) };
  return (send) => portableUsers(portableEvents({ ...source, input }), nowMs, send);
}

async function openfireEntries(
  source: { readonly name: string; readonly input: Readable },
  { nowMs, domains }: Reading,
): Promise<Entries> {
  const [domain = '', ...others] = domains;
  if (others.length > 0)
    throw new CommandError(
      exitCodes.usage,
      'A file of Openfire does not name the domain of its accounts: choose one of yours with --domain.',
    );
  const [{ portableUsers }, { openfireEvents }] = await Promise.all([
    import('./portable-users.ts'),
    import('./openfire-file.ts'),
  ]);
  return (send) => portableUsers(openfireEvents(source, domain), nowMs, send);
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

/** The accounts in the tables of ejabberd, in which the records of an account may be anywhere. */
async function ejabberdEntries(path: string | undefined, { nowMs, domains }: Reading): Promise<Entries> {
  if (path === undefined)
    throw new CommandError(
      exitCodes.usage,
      'Name the file with the data of ejabberd: it cannot be read from standard input.',
    );
  const [{ ejabberdUsers }, tables] = await Promise.all([import('./ejabberd-users.ts'), openEjabberd(path, domains)]);
  return (send) => ejabberdUsers(tables, nowMs, send);
}

/** Opens a dump or an SQLite database of ejabberd. Throws CommandError if it is incomplete. */
export async function openEjabberd(path: string, domains: readonly string[]): Promise<EjabberdTables> {
  const input = createReadStream(path);
  const start = await firstChunk(input);
  input.destroy();
  if (beginsWith(start, sqliteStart)) {
    const { EjabberdSqlite } = await import('./ejabberd-sqlite.ts');
    return EjabberdSqlite.open(path, domains);
  }
  try {
    return await EjabberdDump.open(path);
  } catch (error) {
    if (!(error instanceof ErlangSyntaxError)) throw error;
    throw new CommandError(exitCodes.conflict, `${path} is not a complete dump of ejabberd: ${error.message}.`);
  }
}

function textOf(chunk: unknown): string {
  return Buffer.isBuffer(chunk) ? chunk.toString('utf8') : String(chunk);
}

function beginsWith(chunk: unknown, start: string): boolean {
  return textOf(chunk)
    .replace(/^\uFEFF/, '')
    .trimStart()
    .startsWith(start);
}

/** Whether a document was written by the plugin "User Import Export" of Openfire. */
function isOpenfire(chunk: unknown): boolean {
  return /^[^<]*(?:<[?!][^>]*>[^<]*)*<Openfire[\s/>]/.test(textOf(chunk));
}

/** The first bytes, or undefined for empty input. Rejects if the input cannot be read. */
async function firstChunk(input: Readable): Promise<unknown> {
  for (let chunk: unknown = input.read(); ; chunk = input.read()) {
    if (chunk !== null) return chunk;
    if (input.readableEnded) return undefined;
    await Promise.race([once(input, 'readable'), once(input, 'end')]);
  }
}
