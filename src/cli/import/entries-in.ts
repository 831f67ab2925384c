import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { csvUsers } from './csv-users.ts';
import type { Entry } from './found-user.ts';

/** The accounts in a file, or in standard input for `-`: XEP-0227 if it begins with `<`, otherwise CSV. */
export async function entriesIn(context: Context, file: string, nowMs: number): Promise<AsyncIterable<Entry>> {
  const path = resolve(context.directory, file);
  if (file !== '-' && !existsSync(path)) throw new CommandError(exitCodes.conflict, `There is no file ${path}.`);
  const input = file === '-' ? context.stdin : createReadStream(path);
  if (!(await beginsWithTag(input))) return csvUsers(input);
  const [{ portableUsers }, { portableEvents }] = await Promise.all([
    import('./portable-users.ts'),
    import('./portable-files.ts'),
  ]);
  const source =
    file === '-' ? { name: 'standard input', directory: context.directory } : { name: file, directory: dirname(path) };
  return portableUsers(portableEvents({ ...source, input }), nowMs);
}

/** Looks at the first bytes and puts them back; rejects if there is no such file. */
async function beginsWithTag(input: Readable): Promise<boolean> {
  const chunk = await firstChunk(input);
  if (chunk === undefined) return false;
  input.unshift(chunk);
  const text = Buffer.isBuffer(chunk) ? chunk.toString('utf8') : String(chunk);
  return text
    .replace(/^\uFEFF/, '')
    .trimStart()
    .startsWith('<');
}

async function firstChunk(input: Readable): Promise<unknown> {
  for (let chunk: unknown = input.read(); ; chunk = input.read()) {
    if (chunk !== null) return chunk;
    if (input.readableEnded) return undefined;
    await Promise.race([once(input, 'readable'), once(input, 'end')]);
  }
}
