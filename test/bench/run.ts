// The benchmark: starts each server, drives it, and prints what it can do. --help tells the options.
import { join, resolve } from 'node:path';
import type { Case } from './cases.ts';
import { Generator } from './generator.ts';
import { describeMachine } from './machine.ts';
import { type MeasureParts, measure } from './measure.ts';
import { type BenchOptions, help, readOptions } from './options.ts';
import { comparisonRows, comparisonTable, measurePairs } from './paired.ts';
import { printSample, printSummary } from './report/console.ts';
import { updateDocument } from './report/document.ts';
import { type Cell, merge, type Results, readResults, type Sample, writeResults } from './results.ts';
import type { BenchServer } from './servers/bench-server.ts';
import { allServers } from './servers/index.ts';
import { Workplace } from './workplace.ts';

const documents = resolve(import.meta.dirname, '../../docs');

async function installed(options: BenchOptions): Promise<{ server: BenchServer; version: string }[]> {
  const chosen = allServers(options.ampere).filter(({ name }) => options.servers.includes(name));
  const found = await Promise.all(chosen.map(async (server) => ({ server, version: await server.version() })));
  return found.flatMap(({ server, version }) => {
    if (version !== undefined) return { server, version };
    process.stderr.write(`${server.title} is not installed: left out\n`);
    return [];
  });
}

async function measureCell(
  what: Case,
  { server, version }: { server: BenchServer; version: string },
  repetitions: number,
  parts: MeasureParts,
): Promise<Cell> {
  const samples: Sample[] = [];
  const cell = { case: what.name, server: server.name, version, samples };
  try {
    while (samples.length < repetitions) {
      const sample = await measure(server, what, parts);
      printSample(what, server, sample);
      samples.push(sample);
    }
    return cell;
  } catch (error) {
    const failure = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    process.stderr.write(`${what.name} on ${server.title}: ${failure}\n`);
    return { ...cell, failure: failure.split('\n', 1)[0] ?? '' };
  }
}

function takesPart(server: BenchServer, { who, cores }: Case): boolean {
  if (server.name === 'ampere-edges') return cores === 'both';
  if (who === 'ampere') return server.name === 'ampere';
  return who === 'all' || !server.raw;
}

/** Measures everything asked for, and keeps each cell at once: a run takes long. */
async function measureAll(options: BenchOptions): Promise<Results> {
  const machine = await describeMachine();
  const servers = await installed(options);
  const workplace = await Workplace.open();
  const generator = await Generator.build(workplace);
  const parts = { workplace, generator, seconds: options.seconds };
  const cells: Cell[] = [];
  for (const what of options.cases) {
    for (const found of servers) {
      if (!takesPart(found.server, what)) continue;
      cells.push(await measureCell(what, found, options.repetitions, parts));
      await keep({ machine, cells }, options);
    }
  }
  return { machine, cells };
}

/** Measures two builds of Ampere in turns. */
async function compare(options: BenchOptions, base: string): Promise<string> {
  const workplace = await Workplace.open();
  const generator = await Generator.build(workplace);
  const parts = { workplace, generator, seconds: options.seconds };
  const roots = { base, build: options.ampere };
  const rows: string[][] = [];
  for (const what of options.cases) {
    rows.push(...comparisonRows(what.name, await measurePairs(what, roots, options.repetitions, parts)));
  }
  return comparisonTable(rows);
}

async function keep(results: Results, { json, docs }: BenchOptions): Promise<void> {
  if (json !== undefined) await writeResults(json, results);
  if (!docs) return;
  const file = join(documents, 'performance', 'results.json');
  await writeResults(file, merge(await readResults(file), results));
  await updateDocument(documents);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
const options = readOptions(process.argv.slice(2));
if (!options) process.stdout.write(help);
else if (options.against !== undefined) process.stdout.write(`\n${await compare(options, options.against)}`);
else printSummary(await measureAll(options));
