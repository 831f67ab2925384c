import { setTimeout as sleep } from 'node:timers/promises';
import type { Case } from './cases.ts';
import type { CoreUse } from './cores.ts';
import type { Generator, GeneratorReport } from './generator.ts';
import { untilQuiet } from './machine.ts';
import type { Sample } from './results.ts';
import { RunningServer } from './running-server.ts';
import type { BenchServer } from './servers/bench-server.ts';
import type { Workplace } from './workplace.ts';

/** More than this part of a core used by others spoils a measurement, unless the server had its core to itself all the same. */
const tolerableNoise = 0.06;
const wholeCore = 0.97;
const attempts = 3;
/** After the start: what is done late is done, and memory has settled. */
const settleMs = 1000;
const memorySettlesMs = 3000;

/** What measuring needs. */
export interface MeasureParts {
  readonly workplace: Workplace;
  readonly generator: Generator;
  readonly seconds: number;
}

/** Measures one case on a freshly started server with fresh data; again, a few times, while others disturb. */
export async function measure(server: BenchServer, what: Case, parts: MeasureParts): Promise<Sample> {
  const measureOnce = what.kind === 'start' ? measureStart : measureLoad;
  let sample = await measureOnce(server, what, parts);
  for (let attempt = 1; attempt < attempts && sample.noisy; attempt++) sample = await measureOnce(server, what, parts);
  return sample;
}

async function measureStart(server: BenchServer, what: Case, { workplace }: MeasureParts): Promise<Sample> {
  const place = await workplace.placeFor(server);
  await untilQuiet();
  await using running = await RunningServer.start(server, place, what);
  await sleep(memorySettlesMs);
  return { startSeconds: running.startSeconds, rssKb: running.rssKb, faults: 0, noisy: false };
}

async function measureLoad(server: BenchServer, what: Case, parts: MeasureParts): Promise<Sample> {
  const place = await parts.workplace.placeFor(server);
  await using running = await RunningServer.start(server, place, what);
  await sleep(settleMs);
  await untilQuiet();
  // Awaited here, because the server ends with this function.
  return await drive(running, server, what, parts);
}

/** Measures a server that runs already. */
export async function drive(
  running: RunningServer,
  server: BenchServer,
  { scenario, tls, webSocket = false, cores, settings }: Case,
  { workplace, generator, seconds }: MeasureParts,
): Promise<Sample> {
  const keys = await workplace.keysOf(server);
  const order = { scenario, tls, webSocket, raw: server.raw, cores, settings: { seconds, ...settings }, keys };
  return sampleOf(await generator.drive(running, order), cores);
}

function sampleOf(report: GeneratorReport, cores: CoreUse): Sample {
  const { seconds, operations } = report;
  const serverSeconds = report.serverUserSeconds + report.serverSystemSeconds;
  const serverCores = serverSeconds / seconds;
  const otherCores = report.otherCpuSeconds / seconds;
  const undisturbed = cores === 'one each' && serverCores >= wholeCore;
  return {
    perSecond: operations / seconds,
    ...(operations > 0 ? { cpuUs: (serverSeconds * 1e6) / operations } : {}),
    serverCores,
    generatorCores: report.generatorCpuSeconds / seconds,
    otherCores,
    p50Us: report.p50Us,
    p99Us: report.p99Us,
    p999Us: report.p999Us,
    ...(report.changes > 0 ? { changesPerSecond: report.changes / seconds } : {}),
    ...memoryOf(report),
    ...crowdOf(report),
    ...(report.flushPerSecond === undefined ? {} : { flushPerSecond: report.flushPerSecond }),
    faults: faultsOf(report),
    // Memory does not depend on who else is at work.
    noisy: report.connections === undefined && otherCores > tolerableNoise && !undisturbed,
  };
}

function memoryOf({ connections, rssBeforeKb, rssAfterKb }: GeneratorReport): Partial<Sample> {
  if (connections === undefined || rssBeforeKb === undefined || rssAfterKb === undefined) return {};
  return { rssKb: rssAfterKb, kbPerConnection: (rssAfterKb - rssBeforeKb) / connections };
}

function crowdOf(report: GeneratorReport): Partial<Sample> {
  const { aloneP99Us, joinP99Us, joinSeconds, leaveP99Us, leaveSeconds } = report;
  if (aloneP99Us === undefined || joinP99Us === undefined || leaveP99Us === undefined) return {};
  const movedP99Ms = (Math.max(joinP99Us, leaveP99Us) - aloneP99Us) / 1000;
  return {
    aloneP99Us,
    joinP99Us,
    leaveP99Us,
    movedP99Ms,
    ...(joinSeconds && leaveSeconds && { joinSeconds, leaveSeconds }),
  };
}

function faultsOf(report: GeneratorReport): number {
  const { lost, misordered, misaddressed, truncated, refused, overflow, connectErrors, ioErrors } = report;
  return lost + misordered + misaddressed + truncated + refused + overflow + connectErrors + ioErrors;
}
