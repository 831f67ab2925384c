import { readFile, writeFile } from 'node:fs/promises';
import type { Machine } from './machine.ts';
import { median, spread } from './statistics.ts';

/** What one measurement gave. Cores: CPU seconds a second. */
export interface Sample {
  readonly perSecond?: number;
  readonly cpuUs?: number;
  readonly serverCores?: number;
  readonly generatorCores?: number;
  readonly otherCores?: number;
  readonly p50Us?: number;
  readonly p99Us?: number;
  readonly p999Us?: number;
  readonly changesPerSecond?: number;
  readonly flushPerSecond?: number;
  readonly kbPerConnection?: number;
  readonly rssKb?: number;
  readonly startSeconds?: number;
  /** The 99th percentile of chat while nobody else does anything, and while a crowd enters a room or leaves it. */
  readonly aloneP99Us?: number;
  readonly joinP99Us?: number;
  readonly leaveP99Us?: number;
  /** How much the crowd moves it, in milliseconds. */
  readonly movedP99Ms?: number;
  /** Until the crowd has come, and until it has gone. */
  readonly joinSeconds?: number;
  readonly leaveSeconds?: number;
  /** Lost, misordered, misaddressed or cut stanzas, errors, broken connections. */
  readonly faults: number;
  /** Something else used the machine. */
  readonly noisy: boolean;
}

/** All measurements of one case on one server. */
export interface Cell {
  readonly case: string;
  readonly server: string;
  readonly version: string;
  readonly samples: readonly Sample[];
  /** Why there are none. */
  readonly failure?: string;
}

/** What the benchmark writes. */
export interface Results {
  readonly machine: Machine;
  readonly cells: readonly Cell[];
}

type Measure = Exclude<keyof Sample, 'noisy'>;

/** The median of the undisturbed measurements, of all if there are none. */
export function middle(cell: Cell | undefined, measure: Measure): number | undefined {
  const values = valuesOf(cell, measure);
  return values.length === 0 ? undefined : median(values);
}

/** The spread of the same measurements, as a part of the median. */
export function spreadOf(cell: Cell | undefined, measure: Measure): number {
  return spread(valuesOf(cell, measure));
}

function valuesOf(cell: Cell | undefined, measure: Measure): number[] {
  const samples = cell?.samples ?? [];
  const quiet = samples.filter(({ noisy }) => !noisy);
  return (quiet.length > 0 ? quiet : samples).flatMap((sample) => sample[measure] ?? []);
}

/** The cell of one case and server. */
export function cellOf(results: Results, caseName: string, server: string): Cell | undefined {
  return results.cells.find((cell) => cell.case === caseName && cell.server === server);
}

/** Old results with newer cells in the place of those measured again. */
export function merge(old: Results | undefined, newer: Results): Results {
  const kept = old?.cells.filter(({ case: name, server }) => !cellOf(newer, name, server)) ?? [];
  return { machine: newer.machine, cells: [...kept, ...newer.cells] };
}

/** Reads results; undefined if there are none. */
export async function readResults(file: string): Promise<Results | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes results. */
export async function writeResults(file: string, results: Results): Promise<void> {
  await writeFile(file, `${JSON.stringify(results, undefined, 1)}\n`);
}
