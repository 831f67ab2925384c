import type { Case } from './cases.ts';
import type { MeasureParts } from './measure.ts';
import { drive, measure } from './measure.ts';
import { printSample } from './report/console.ts';
import { markdownTable, number } from './report/format.ts';
import type { Sample } from './results.ts';
import { RunningServer } from './running-server.ts';
import { ampereIn } from './servers/ampere.ts';
import type { BenchServer } from './servers/bench-server.ts';
import { median } from './statistics.ts';

/** The same case on two builds, one directly after the other. */
interface Pair {
  readonly base: Sample;
  readonly build: Sample;
}

/** What is compared, and what it is called. */
const measures = [
  ['perSecond', 'a second'],
  ['cpuUs', 'CPU µs'],
  ['p50Us', 'p50 µs'],
  ['p99Us', 'p99 µs'],
  ['kbPerConnection', 'KiB a connection'],
  ['startSeconds', 's to start'],
  ['rssKb', 'KiB resident'],
] as const;

/** The build in `root`, under a name that keeps its data apart from the data of the other build. */
export function buildIn(root: string, name: string, { cores }: Case): BenchServer {
  return { ...ampereIn(root, cores === 'both'), name, title: name, product: name };
}

/** Slices of one start of both builds, and the warm-up before each: the first slices have warmed the JIT already. */
const slices = 8;
const warmSeconds = 1;

/** Measures a case on two builds in turns: whatever disturbs the machine for a while disturbs both. */
export async function measurePairs(
  what: Case,
  roots: { readonly base: string; readonly build: string },
  count: number,
  parts: MeasureParts,
): Promise<Pair[]> {
  const builds = { base: buildIn(roots.base, 'base', what), build: buildIn(roots.build, 'build', what) };
  const pairs: Pair[] = [];
  for (let round = 0; round < count; round++) {
    if (isSliced(what)) pairs.push(...(await measureSlices(what, builds, parts)));
    else pairs.push(await inTurns(round, (build) => measured(what, builds[build], parts)));
  }
  return pairs;
}

/** Whether both builds can run side by side and be driven again and again: what is measured must not be a start or memory. */
function isSliced({ scenario, kind, settings }: Case): boolean {
  return scenario === 'messages' && kind !== 'growth' && settings['rate'] === undefined;
}

/** Both builds run, and one of them works. */
async function measureSlices(
  what: Case,
  builds: Readonly<Record<keyof Pair, BenchServer>>,
  parts: MeasureParts,
): Promise<Pair[]> {
  const { workplace } = parts;
  const start = async (server: BenchServer) => RunningServer.start(server, await workplace.placeFor(server), what);
  await using base = await start(builds.base);
  await using build = await start(builds.build);
  const running = { base, build };
  const slice = async (name: keyof Pair, warm: number): Promise<Sample> => {
    const settings = { ...what.settings, warm };
    const sample = await drive(running[name], builds[name], { ...what, settings }, parts);
    printSample(what, builds[name], sample);
    return sample;
  };
  const pairs: Pair[] = [];
  for (let number = 0; number < slices; number++) {
    const warm = number === 0 ? Number(what.settings['warm']) : warmSeconds;
    pairs.push(await inTurns(number, (name) => slice(name, warm)));
  }
  return pairs;
}

async function measured(what: Case, server: BenchServer, parts: MeasureParts): Promise<Sample> {
  const sample = await measure(server, what, parts);
  printSample(what, server, sample);
  return sample;
}

/** The base goes first in every other round. */
async function inTurns(round: number, measureOne: (name: keyof Pair) => Promise<Sample>): Promise<Pair> {
  if (round % 2 === 0) return { base: await measureOne('base'), build: await measureOne('build') };
  const build = await measureOne('build');
  return { build, base: await measureOne('base') };
}

/** A row for each measure of a case: both medians, the median of the ratios of the pairs, and the least and greatest. */
export function comparisonRows(name: string, pairs: readonly Pair[]): string[][] {
  return measures.flatMap(([measure, title]) => {
    const both = pairs.flatMap(({ base, build }) => {
      const values = [base[measure], build[measure]] as const;
      return values[0] && values[1] ? [[values[0], values[1]] as const] : [];
    });
    if (both.length === 0) return [];
    const ratios = both.map(([base, build]) => build / base);
    const medianOf = (index: 0 | 1) => number(median(both.map((values) => values[index])));
    const range = `${ratio(Math.min(...ratios))}–${ratio(Math.max(...ratios))}`;
    return [[`${name}, ${title}`, medianOf(0), medianOf(1), ratio(median(ratios)), range]];
  });
}

/** The rows of all cases as a table. */
export function comparisonTable(rows: readonly (readonly string[])[]): string {
  return markdownTable(['case', 'base', 'build', 'build to base', 'range'], rows);
}

function ratio(value: number): string {
  return value.toFixed(3);
}
