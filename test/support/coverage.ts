// Runs mocha with its arguments, and prints for each file of src/ how many of its lines have run and which have not.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What V8 writes at the end of a process; offsets are in characters. */
interface Report {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
    }[];
  }[];
}

const root = resolve(import.meta.dirname, '../..');
const source = join(root, 'src');

/** Whether each character of a file has run; inner ranges come after outer ones, and decide. */
function ranIn({ functions }: Report['result'][number], length: number): Uint8Array {
  const ran = new Uint8Array(length).fill(1);
  const ranges = functions.flatMap((one) => one.ranges);
  for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return ran;
}

/** The lines, counted from 1, whose first character has not run in any process. */
function linesNotRun(text: string, ran: Uint8Array): number[] {
  let offset = 0;
  return text.split('\n').flatMap((line, index) => {
    const first = offset + line.search(/\S/);
    offset += line.length + 1;
    return line.trim() !== '' && ran[first] === 0 ? [index + 1] : [];
  });
}

/** Lines as ranges: `3-5, 9`. */
function rangesOf(lines: readonly number[]): string {
  const starts = lines.filter((line) => !lines.includes(line - 1));
  const ends = lines.filter((line) => !lines.includes(line + 1));
  return starts.map((start, index) => (start === ends[index] ? `${start}` : `${start}-${ends[index]}`)).join(', ');
}

function readReports(directory: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const name of readdirSync(directory)) {
    const { result }: Report = JSON.parse(readFileSync(join(directory, name), 'utf8'));
    for (const script of result.filter(({ url }) => url.startsWith('file:') && fileURLToPath(url).startsWith(source))) {
      const path = fileURLToPath(script.url);
      const ran = ranIn(script, readFileSync(path, 'utf8').length);
      const before = files.get(path);
      files.set(path, before ? ran.map((one, at) => one | (before[at] ?? 0)) : ran);
    }
  }
  return files;
}

function print(files: ReadonlyMap<string, Uint8Array>): void {
  for (const [path, ran] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = readFileSync(path, 'utf8');
    const missed = linesNotRun(text, ran);
    const total = text.split('\n').filter((line) => line.trim() !== '').length;
    const share = Math.floor(100 * (1 - missed.length / total));
    process.stdout.write(`${String(share).padStart(3)} %  ${relative(root, path)}  ${rangesOf(missed)}\n`);
  }
}

const directory = mkdtempSync(join(tmpdir(), 'ampere-coverage-'));
const args = process.argv.length > 2 ? process.argv.slice(2) : ['test/**/*.test.ts'];
const mocha = join(root, 'node_modules/mocha/bin/mocha.js');
const { status } = spawnSync(process.execPath, [mocha, ...args], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, NODE_V8_COVERAGE: directory },
});
print(readReports(directory));
rmSync(directory, { recursive: true });
process.exitCode = status ?? 1;
