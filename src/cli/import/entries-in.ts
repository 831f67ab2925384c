import { once } from 'node:events';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import type { SendArchived } from './archive-upload.ts';
import { csvUsers } from './csv-users.ts';
import type { Entry } from './found-user.ts';

/** The entries of a file. Archives are sent ahead of the accounts that they belong to. */
type Entries = (send: SendArchived) => AsyncIterable<Entry>;

/**
 * Reads the accounts in a file, or in standard input for `-`. Input that begins with `<` is XEP-0227, any other is CSV. A directory is the
 * data directory of Prosody.
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
  if (!beginsWithTag(start)) return () => csvUsers(input);
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
  if (!(await isProsodyDirectory(path)))
    throw new CommandError(
      exitCodes.conflict,
      `${path} is not a data directory of Prosody: no host in it has accounts.`,
    );
  return (send) => portableUsers(prosodyEvents(path), nowMs, send);
}

function beginsWithTag(chunk: unknown): boolean {
  const text = Buffer.isBuffer(chunk) ? chunk.toString('utf8') : String(chunk);
  return text
    .replace(/^\uFEFF/, '')
    .trimStart()
    .startsWith('<');
}

/** The first bytes, or undefined for empty input. Rejects if the input cannot be read. */
async function firstChunk(input: Readable): Promise<unknown> {
  for (let chunk: unknown = input.read(); ; chunk = input.read()) {
    if (chunk !== null) return chunk;
    if (input.readableEnded) return undefined;
    await Promise.race([once(input, 'readable'), once(input, 'end')]);
  }
}
