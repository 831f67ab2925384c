import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Context, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';

type Pieces = AsyncIterable<string> | Iterable<string>;

/** Writes an export to a new file, or to standard output. */
export async function writeExport(
  context: Context,
  out: string | undefined,
  pieces: AsyncIterable<string>,
): Promise<void> {
  if (out === undefined) for await (const piece of pieces) context.stdout.write(piece);
  else {
    const path = resolve(context.directory, out);
    await writeNewFile(path, pieces);
    printLines(context, [`Written to ${path}.`]);
  }
}

/** Makes a file that only its owner can read, and that is on the disk when this resolves. One that cannot be completed is removed. */
async function writeNewFile(path: string, pieces: Pieces): Promise<void> {
  await write(path, 'wx', pieces).catch((error: unknown) => {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw isThere ? new CommandError(exitCodes.conflict, `${path} exists already.`) : error;
  });
}

/** Makes such a file, or replaces an older one. The new one has its name only when it is complete. */
export async function replaceFile(path: string, pieces: Pieces): Promise<void> {
  const partial = `${path}.part`;
  await write(partial, 'w', pieces);
  await rename(partial, path);
}

async function write(path: string, flags: 'w' | 'wx', pieces: Pieces): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    for await (const piece of pieces) await file.write(piece);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}
