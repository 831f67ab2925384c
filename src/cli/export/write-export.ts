import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Context, printDone } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { Progress } from '../progress.ts';

type Pieces = AsyncIterable<string> | Iterable<string>;

const mebibyte = 2 ** 20;

/** Where an export goes, and what is printed about it. */
interface ExportTarget {
  /** The file; standard output without one. */
  readonly out: string | undefined;
  readonly json: boolean | undefined;
}

/** Writes an export to a new file, or to standard output, and says how far it is. */
export async function writeExport(
  context: Context,
  { out, json = false }: ExportTarget,
  pieces: AsyncIterable<string>,
): Promise<void> {
  if (out === undefined) {
    await counting(context, pieces, async (counted) => {
      for await (const piece of counted) context.stdout.write(piece);
    });
    return;
  }
  const path = resolve(context.directory, out);
  await writeNewFile(context, path, pieces);
  printDone(context, json, { path }, `Written to ${path}.`);
}

/** Writes an export to a new file, and says how far it is. */
export async function writeNewFile(context: Context, path: string, pieces: AsyncIterable<string>): Promise<void> {
  if (existsSync(path)) throw new CommandError(exitCodes.conflict, `${path} exists already.`);
  await counting(context, pieces, (counted) => replaceFile(path, counted));
}

async function counting(
  context: Context,
  pieces: AsyncIterable<string>,
  write: (counted: AsyncIterable<string>) => Promise<void>,
): Promise<void> {
  const progress = new Progress(context, 'MiB', mebibyte);
  await write(countedPieces(pieces, progress)).finally(() => progress.end());
}

async function* countedPieces(pieces: AsyncIterable<string>, progress: Progress): AsyncGenerator<string> {
  for await (const piece of pieces) {
    yield piece;
    progress.step(piece.length);
  }
}

/**
 * Makes a file that only its owner can read, and that is on the disk when this resolves, or replaces an older one. It has its name only when
 * it is complete. If it cannot be completed, nothing of it is left.
 */
export async function replaceFile(path: string, pieces: Pieces): Promise<void> {
  const partial = `${path}.part`;
  await write(partial, pieces);
  await rename(partial, path);
}

async function write(path: string, pieces: Pieces): Promise<void> {
  const file = await open(path, 'w', 0o600);
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
