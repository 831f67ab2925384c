import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Context, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';

/** Writes an export to a new file, or to standard output. */
export async function writeExport(
  context: Context,
  out: string | undefined,
  pieces: AsyncIterable<string>,
): Promise<void> {
  if (out !== undefined) return writeFile(context, out, pieces);
  for await (const piece of pieces) context.stdout.write(piece);
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
