import { resolve } from 'node:path';
import { type Case, cases } from './cases.ts';
import { Generator } from './generator.ts';
import { drive } from './measure.ts';
import { RunningServer } from './running-server.ts';
import { ampereIn } from './servers/ampere.ts';
import { median } from './statistics.ts';
import { Workplace } from './workplace.ts';

/*
 * Measures what a message costs by WebSocket, beside the same by TCP, both over TLS: `node test/bench/websocket-cost.ts [ROOT]`. One server
 * serves both, and they take turns, so a machine that slows down for a while slows both. Prints the medians of the CPU time of a message
 * in microseconds, the median of the ratios, and the least and the greatest.
 */

const pairs = 8;
const [, , root = '.'] = process.argv;
const server = ampereIn(resolve(root), false);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
const workplace = await Workplace.open();
const parts = { workplace, generator: await Generator.build(workplace), seconds: 2 };

async function compare(byTcp: Case, byWebSocket: Case): Promise<void> {
  await using running = await RunningServer.start(server, await workplace.placeFor(server), byWebSocket);
  const cost = async (what: Case, warm: number) => {
    const sample = await drive(running, server, { ...what, settings: { ...what.settings, warm } }, parts);
    return sample.cpuUs ?? Number.NaN;
  };
  const found: { readonly tcp: number; readonly webSocket: number }[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const warm = pair === 0 ? 4 : 1;
    found.push({ tcp: await cost(byTcp, warm), webSocket: await cost(byWebSocket, warm) });
  }
  const ratios = found.map(({ tcp, webSocket }) => webSocket / tcp);
  const medians = [found.map(({ tcp }) => tcp), found.map(({ webSocket }) => webSocket)].map(median);
  const figures = [...medians, median(ratios), Math.min(...ratios), Math.max(...ratios)];
  console.log(byWebSocket.name.padEnd(12), ...figures.map((figure) => figure.toFixed(2)));
}

const named = (name: string): Case => {
  const found = cases.find((one) => one.name === name);
  if (!found) throw new Error(`there is no case ${name}`);
  return found;
};
console.log('case, by TCP, by WebSocket, ratio, from, to');
await compare(named('msg-50x10-tls'), named('ws-50x10'));
await compare(named('msg-500x1-tls'), named('ws-500x1'));
