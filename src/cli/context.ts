import { relative } from 'node:path';
import type { Readable } from 'node:stream';
import { escapeControls } from '../support/log.ts';

/** An output stream of a command. */
interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** The streams, environment and directory of a command. */
export interface Context {
  readonly stdin: Readable & { readonly isTTY?: boolean | undefined };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The directory to which relative paths on the command line refer. */
  readonly directory: string;
}

/** The way to call this program: by its name where it is installed, as a file in a checkout. */
export function programName(): string {
  const file = process.argv[1] ?? '';
  return file.endsWith('.js') ? `node ${relative(process.cwd(), file)}` : 'ampere';
}

/** Prints JSON for programs. */
export function printJson({ stdout }: Pick<Context, 'stdout'>, value: unknown): void {
  stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Prints what a command did: an object for programs, or a sentence for people. */
export function printDone(context: Pick<Context, 'stdout'>, json: boolean, done: object, sentence: string): void {
  if (json) printJson(context, done);
  else printLines(context, [sentence]);
}

/** Prints lines for people. */
export function printLines({ stdout }: Pick<Context, 'stdout'>, lines: readonly string[]): void {
  if (lines.length > 0) stdout.write(`${lines.join('\n')}\n`);
}

/** Escapes text of other servers and users, so that it cannot forge output. */
export function harmless(text: string): string {
  return escapeControls(JSON.stringify(text).slice(1, -1)).replaceAll('\\"', '"');
}

/** Joins the cells of each row, with aligned columns. */
export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
