import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cases } from './cases.ts';
import { RunningServer } from './running-server.ts';
import { ampereIn } from './servers/ampere.ts';
import { median } from './statistics.ts';
import { Workplace } from './workplace.ts';

/*
 * Measures what the listener for HTTP adds to a start while nobody uses it: `node test/bench/http-start.ts [PAIRS]`. Starts with and without it take
 * turns. Prints the medians, and the median of the differences: milliseconds until a stream is answered, and MiB three seconds later.
 */

const pairs = Number(process.argv[2] ?? 8);
const server = ampereIn(resolve(import.meta.dirname, '../..'), false);
const start = cases.find(({ kind }) => kind === 'start');
if (!start) throw new Error('there is no case for the start');
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
const workplace = await Workplace.open();

interface Start {
  readonly ms: number;
  readonly mib: number;
}

interface Pair {
  readonly without: Start;
  readonly with: Start;
}

async function measure(webSocket: boolean): Promise<Start> {
  const place = await workplace.placeFor(server);
  await using running = await RunningServer.start(server, place, { ...start!, webSocket });
  await sleep(3000);
  return { ms: running.startSeconds * 1000, mib: running.rssKb / 1024 };
}

const found: Pair[] = [];
for (let pair = 0; pair < pairs; pair++) found.push({ without: await measure(false), with: await measure(true) });
for (const unit of ['ms', 'mib'] as const) {
  const medianOf = (value: (pair: Pair) => number) => median(found.map(value)).toFixed(1);
  const figures = [medianOf((pair) => pair.without[unit]), medianOf((pair) => pair.with[unit])];
  console.log(
    unit,
    ...figures,
    'added',
    medianOf((pair) => pair.with[unit] - pair.without[unit]),
  );
}
