import type { Case } from '../cases.ts';
import type { Results, Sample } from '../results.ts';
import type { BenchServer } from '../servers/bench-server.ts';
import { milliseconds, number } from './format.ts';
import { goalTable } from './goals.ts';
import { sections } from './sections.ts';

/** One line for one measurement, as it is made. */
export function printSample(what: Case, server: BenchServer, sample: Sample): void {
  const words = [
    what.name.padEnd(22),
    server.name.padEnd(9),
    ...(sample.perSecond && what.kind !== 'idle' ? [`${number(sample.perSecond)}/s`.padStart(11)] : []),
    ...(sample.cpuUs ? [`${number(sample.cpuUs)} µs`.padStart(9)] : []),
    ...(sample.p50Us ? [`p50 ${milliseconds(sample.p50Us)} ms, p99 ${milliseconds(sample.p99Us ?? 0)} ms`] : []),
    ...(sample.serverCores === undefined ? [] : [`server ${sample.serverCores.toFixed(2)}`]),
    ...(sample.generatorCores === undefined ? [] : [`generator ${sample.generatorCores.toFixed(2)}`]),
    ...(sample.kbPerConnection ? [`${number(sample.kbPerConnection)} KiB each`] : []),
    ...(sample.flushPerSecond ? [`flush ${number(sample.flushPerSecond)}/s`] : []),
    ...(sample.startSeconds ? [`${number(sample.startSeconds)} s`] : []),
    ...(sample.rssKb ? [`${number(sample.rssKb / 1024)} MiB`] : []),
    ...(sample.faults > 0 ? [`${sample.faults} FAULTS`] : []),
    ...(sample.noisy ? [`disturbed (${(sample.otherCores ?? 0).toFixed(2)} cores)`] : []),
  ];
  process.stdout.write(`${words.join('  ')}\n`);
}

/** The tables of everything measured, and the goals. */
export function printSummary(results: Results): void {
  for (const table of Object.values(sections)) {
    const text = table(results);
    // A table without rows has a head and a line.
    if (text.split('\n').length > 3) process.stdout.write(`\n${text}`);
  }
  process.stdout.write(`\n${goalTable(results)}`);
}
