// What a watch costs plain chat if its filter matches nothing: slices with a watch and without one, in turns, on one server.
// `node test/bench/watch.ts [SECONDS] [PAIRS OF SLICES]`
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { resolve } from 'node:path';
import { controlSocketPath } from '../../src/web/control/socket-path.ts';
import { watch } from '../../src/web/control/watch-operations.ts';
import type { WatchRequest } from '../../src/web/watch/watch-filter.ts';
import { type Case, cases } from './cases.ts';
import { Generator } from './generator.ts';
import { drive, type MeasureParts } from './measure.ts';
import { number } from './report/format.ts';
import type { Sample } from './results.ts';
import { RunningServer } from './running-server.ts';
import { ampereIn } from './servers/ampere.ts';
import { median } from './statistics.ts';
import { Workplace } from './workplace.ts';

const [seconds = 2, count = 10] = process.argv.slice(2).map(Number);
const names = ['msg-50x10-plain', 'msg-50x10-tls'];
/** Seconds before a slice counts. */
const [firstWarm, laterWarm] = [4, 1];

const filters: Readonly<Record<string, Partial<WatchRequest>>> = {
  'an address': { jid: 'nobody@elsewhere.example' },
  'a domain': { domain: 'elsewhere.example' },
  'a namespace': { ns: 'urn:example:nothing' },
};

/** Attaches a watch; returns what ends it. */
async function watches(dataDir: string, filter: Partial<WatchRequest>): Promise<() => void> {
  const { method, path } = watch;
  const outgoing = request({ socketPath: controlSocketPath(dataDir), method, path, agent: false });
  outgoing.end(JSON.stringify({ bodies: false, kinds: ['message', 'presence', 'iq'], ...filter }));
  const [response]: IncomingMessage[] = await once(outgoing, 'response');
  if (response?.statusCode !== 200) throw new Error(`the watch was answered with ${response?.statusCode}`);
  response.on('error', () => undefined).resume();
  return () => response.destroy();
}

/** One slice without a watch and one with it. */
interface Pair {
  readonly without: Sample;
  readonly within: Sample;
}

function ratioOf(pairs: readonly Pair[], of: 'perSecond' | 'cpuUs'): string {
  return median(pairs.map(({ without, within }) => (within[of] ?? Number.NaN) / (without[of] ?? Number.NaN))).toFixed(
    3,
  );
}

async function measure(what: Case, parts: MeasureParts): Promise<void> {
  const server = ampereIn(resolve(import.meta.dirname, '../..'), false);
  const place = await parts.workplace.placeFor(server);
  await using running = await RunningServer.start(server, place, what);
  const slice = (warm: number): Promise<Sample> =>
    drive(running, server, { ...what, settings: { ...what.settings, warm } }, parts);
  const watchedSlice = async (filter: Partial<WatchRequest>, warm: number): Promise<Sample> => {
    const end = await watches(place.data, filter);
    const sample = await slice(warm);
    end();
    return sample;
  };
  await slice(firstWarm);
  for (const [title, filter] of Object.entries(filters)) {
    await watchedSlice(filter, firstWarm);
    const pairs: Pair[] = [];
    while (pairs.length < count) {
      // Which of the two comes first changes, because the machine may become slower or faster meanwhile.
      if (pairs.length % 2 === 0) {
        pairs.push({ without: await slice(laterWarm), within: await watchedSlice(filter, laterWarm) });
      } else pairs.push({ within: await watchedSlice(filter, laterWarm), without: await slice(laterWarm) });
    }
    const rate = number(median(pairs.map(({ without }) => without.perSecond ?? Number.NaN)));
    const ratios = `${ratioOf(pairs, 'perSecond')} × ${rate} messages/s, ${ratioOf(pairs, 'cpuUs')} × CPU`;
    console.log(`${what.title}, a watch for ${title}: ${ratios}`);
  }
}

const workplace = await Workplace.open();
const generator = await Generator.build(workplace);
for (const what of cases.filter(({ name }) => names.includes(name)))
  await measure(what, { workplace, generator, seconds });
