import type { Case } from './cases.ts';
import type { MeasureParts } from './measure.ts';
import { measure } from './measure.ts';
import { printSample } from './report/console.ts';
import { markdownTable, number } from './report/format.ts';
import type { Sample } from './results.ts';
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

/** Measures a case on two builds in turns: whatever disturbs the machine for a while disturbs both. */
export async function measurePairs(
  what: Case,
  roots: { readonly base: string; readonly build: string },
  count: number,
  parts: MeasureParts,
): Promise<Pair[]> {
  const base = buildIn(roots.base, 'base', what);
  const build = buildIn(roots.build, 'build', what);
  const pairs: Pair[] = [];
  const sampleOf = async (server: BenchServer): Promise<Sample> => {
    const sample = await measure(server, what, parts);
    printSample(what, server, sample);
    return sample;
  };
  while (pairs.length < count) {
    if (pairs.length % 2 === 0) pairs.push({ base: await sampleOf(base), build: await sampleOf(build) });
    else pairs.push(await sampleOf(build).then(async (sample) => ({ build: sample, base: await sampleOf(base) })));
  }
  return pairs;
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
