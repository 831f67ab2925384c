import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Case, cases } from './cases.ts';
import { serverNames } from './servers/index.ts';

/** What the command line asks for. */
export interface BenchOptions {
  readonly cases: readonly Case[];
  readonly servers: readonly string[];
  readonly repetitions: number;
  /** Length of a measurement. */
  readonly seconds: number;
  /** The Ampere to measure, built. */
  readonly ampere: string;
  /** Another built Ampere to compare it with, in turns. */
  readonly against: string | undefined;
  /** Where to write the results as JSON. */
  readonly json: string | undefined;
  /** Whether docs/performance.md takes the results over. */
  readonly docs: boolean;
}

/** Told by --help. */
export const help = `npm run bench -- [options]
  --only NAME[,NAME]     cases whose names begin so (default: all)
                         ${cases.map(({ name }) => name).join(' ')}
  --server NAME[,NAME]   ${serverNames.join(', ')} (default: all)
  --repetitions N        of every case (default 3)
  --seconds N            length of one measurement (default 6)
  --quick                one repetition of 2 seconds, without the longest cases
  --ampere DIRECTORY     another built Ampere to measure
  --against DIRECTORY    compares with this built Ampere, in turns; with --quick the usual cases
  --json FILE            writes what was measured
  --docs                 takes the results over into docs/performance.md
`;

/** The cases of a quick comparison of two builds. */
const comparedQuickly = 'msg,amp-none,amp-deliver,login,offline,presence';

/** Reads the command line; undefined if it asks for help. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      server: { type: 'string', default: serverNames.join(',') },
      repetitions: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      ampere: { type: 'string', default: resolve(import.meta.dirname, '../..') },
      against: { type: 'string' },
      json: { type: 'string' },
      docs: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick, json, docs, against } = values;
  const shortest = against !== undefined && quick;
  return {
    cases: chosenCases(values.only || (shortest ? comparedQuickly : ''), quick),
    servers: chosenServers(values.server),
    repetitions: positive(values.repetitions ?? (quick && !shortest ? '1' : '3'), 'repetitions'),
    seconds: positive(values.seconds ?? (quick ? '2' : '6'), 'seconds'),
    ampere: resolve(values.ampere),
    against: against === undefined ? undefined : resolve(against),
    json,
    docs,
  };
}

function chosenCases(only: string, quick: boolean): Case[] {
  const beginnings = only.split(',');
  const chosen = cases.filter(({ name, long }) => beginnings.some((text) => name.startsWith(text)) && !(quick && long));
  if (chosen.length === 0) throw new Error(`no case begins with ${only}`);
  return chosen;
}

function chosenServers(names: string): string[] {
  const chosen = names.split(',');
  const unknown = chosen.find((name) => !serverNames.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`there is no server ${unknown}, only ${serverNames.join(', ')}`);
  return chosen;
}

function positive(text: string, name: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`--${name} must be a number above 0`);
  return number;
}
