import { type Case, type CaseKind, cases } from '../cases.ts';
import { type Cell, cellOf, middle, type Results, spreadOf } from '../results.ts';
import { markdownTable, milliseconds, number, times } from './format.ts';
import { ampere, bestPeer, columns, wholeColumns, withEdges, xmppServers } from './servers.ts';

/** A server that delivers less than this part of what is asked for cannot keep up. */
const keepsUp = 0.97;

function casesOf(results: Results, kind: CaseKind): Case[] {
  return cases.filter((one) => one.kind === kind && results.cells.some((cell) => cell.case === one.name));
}

function perSecond(cell: Cell | undefined): string {
  const rate = middle(cell, 'perSecond');
  if (rate === undefined) return cell?.failure ? 'failed' : '–';
  const deviation = Math.round(spreadOf(cell, 'perSecond') * 100);
  const repeated = (cell?.samples.length ?? 0) > 1 ? ` ±${Math.ceil(deviation / 2)} %` : '';
  const faults = middle(cell, 'faults') ?? 0;
  return number(rate) + repeated + (faults > 0 ? ` (${number(faults)} faults)` : '');
}

function ratio(results: Results, caseName: string, { name } = ampere): string {
  const ours = middle(cellOf(results, caseName, name), 'perSecond');
  const best = bestPeer(results, caseName, 'perSecond');
  return ours === undefined || best === undefined ? '–' : times(ours / best);
}

/** Operations a second, and how many times the best peer's that is. */
export function throughputTable(results: Results): string {
  const rows = casesOf(results, 'throughput').map(({ name, title }) => [
    title,
    ...columns.map((column) => perSecond(cellOf(results, name, column.name))),
    ratio(results, name),
  ]);
  return markdownTable(['per second', ...columns.map(({ title }) => title), 'Ampere to best peer'], rows);
}

/** Operations a second on the whole machine, and what one costs the server. */
export function wholeTable(results: Results): string {
  const cpu = (cell: Cell | undefined) => {
    const us = middle(cell, 'cpuUs');
    return us === undefined ? '' : `, ${number(us)} µs`;
  };
  const rows = casesOf(results, 'whole').map(({ name, title }) => {
    const cells = wholeColumns.map((column) => cellOf(results, name, column.name));
    return [title, ...cells.map((cell) => perSecond(cell) + cpu(cell)), ratio(results, name, withEdges)];
  });
  return markdownTable(['per second, CPU', ...wholeColumns.map(({ title }) => title), 'edges to best peer'], rows);
}

/** CPU time of the server for one operation. */
export function cpuTable(results: Results): string {
  const rows = casesOf(results, 'throughput').map(({ name, title, unit }) => [
    `${title}, a ${unit}`,
    ...columns.map((column) => number(middle(cellOf(results, name, column.name), 'cpuUs') ?? Number.NaN)),
  ]);
  return markdownTable(['CPU in µs', ...columns.map(({ title }) => title)], rows);
}

/** What rules cost, beside a message of the same length without one. */
export function rulesTable(results: Results): string {
  const plain = middle(cellOf(results, 'amp-none', 'ampere'), 'cpuUs') ?? Number.NaN;
  const rows = casesOf(results, 'rules').map(({ name, title }) => {
    const cell = cellOf(results, name, 'ampere');
    const cpu = middle(cell, 'cpuUs') ?? Number.NaN;
    return [title, perSecond(cell), number(cpu), times(cpu / plain)];
  });
  return markdownTable(['50 pairs, 10 in flight, plain', 'messages/s', 'CPU in µs', 'to no rule'], rows);
}

/** How much of the two cores the server and the generator used: nobody is faster than the generator. */
export function loadTable(results: Results): string {
  const percent = (value: number | undefined) => (value === undefined ? '–' : `${Math.round(value * 100)}`);
  const rows = casesOf(results, 'throughput').map(({ name, title }) => [
    title,
    ...columns.map((column) => {
      const cell = cellOf(results, name, column.name);
      return `${percent(middle(cell, 'serverCores'))} / ${percent(middle(cell, 'generatorCores'))}`;
    }),
  ]);
  return markdownTable(['server / generator, % of a core', ...columns.map(({ title }) => title)], rows);
}

function latencies(cell: Cell | undefined, rate: number): string {
  if (cell === undefined) return '–';
  if ((middle(cell, 'perSecond') ?? 0) < rate * keepsUp) return 'cannot keep up';
  const [p50, p99, p999] = [middle(cell, 'p50Us'), middle(cell, 'p99Us'), middle(cell, 'p999Us')];
  return [p50, p99, p999].map((us) => milliseconds(us ?? Number.NaN)).join(' / ');
}

/** Latency at fixed rates. */
export function latencyTable(results: Results): string {
  const rows = casesOf(results, 'latency').map(({ name, title, settings }) => [
    title,
    ...xmppServers.map((server) => latencies(cellOf(results, name, server.name), Number(settings['rate']))),
  ]);
  return markdownTable(['p50 / p99 / p99.9, ms', ...xmppServers.map(({ title }) => title)], rows);
}

/** CPU for a message, by the number of users online. */
export function growthTable(results: Results): string {
  const rows = casesOf(results, 'growth').map(({ name, title }) => [
    title,
    ...xmppServers.map((server) => {
      const cell = cellOf(results, name, server.name);
      const [cpu, p50] = [middle(cell, 'cpuUs'), middle(cell, 'p50Us')];
      return cpu === undefined || p50 === undefined ? '–' : `${number(cpu)} µs, ${milliseconds(p50)} ms`;
    }),
  ]);
  return markdownTable(['CPU for a message, p50', ...xmppServers.map(({ title }) => title)], rows);
}

function megabytes(kb: number | undefined): string {
  return kb === undefined ? '–' : number(kb / 1024);
}

/** Memory with many idle connections. */
export function memoryTable(results: Results): string {
  const rows = casesOf(results, 'idle').map(({ name, title }) => [
    title,
    ...xmppServers.map((server) => {
      const cell = cellOf(results, name, server.name);
      const each = middle(cell, 'kbPerConnection');
      return each === undefined ? '–' : `${number(each)} KiB each, ${megabytes(middle(cell, 'rssKb'))} MiB in all`;
    }),
  ]);
  return markdownTable(['resident memory', ...xmppServers.map(({ title }) => title)], rows);
}

/** How a crowd that comes or goes moves the chat of others, and how long it takes. */
export function crowdTable(results: Results): string {
  const rows = casesOf(results, 'crowd').map(({ name, title }) => [
    title,
    ...xmppServers.map((server) => {
      const cell = cellOf(results, name, server.name);
      const [alone, join, leave] = [
        middle(cell, 'aloneP99Us'),
        middle(cell, 'joinP99Us'),
        middle(cell, 'leaveP99Us'),
      ].map((us) => milliseconds(us ?? Number.NaN));
      const seconds = [middle(cell, 'joinSeconds'), middle(cell, 'leaveSeconds')].map((one) =>
        number(one ?? Number.NaN),
      );
      if (cell === undefined || middle(cell, 'aloneP99Us') === undefined) return cell?.failure ? 'failed' : '–';
      return `${alone} / ${join} / ${leave} ms, ${seconds.join(' / ')} s`;
    }),
  ]);
  const head = ['p99 alone / coming / going, until all have', ...xmppServers.map(({ title }) => title)];
  return rows.length === 0 ? '' : markdownTable(head, rows);
}

/** Time and memory of the start. */
export function startTable(results: Results): string {
  const rows = casesOf(results, 'start').map(({ name, title }) => [
    title,
    ...xmppServers.map((server) => {
      const cell = cellOf(results, name, server.name);
      const seconds = middle(cell, 'startSeconds');
      return seconds === undefined ? '–' : `${number(seconds)} s, ${megabytes(middle(cell, 'rssKb'))} MiB`;
    }),
  ]);
  return markdownTable(['', ...xmppServers.map(({ title }) => title)], rows);
}

/** The machine and the versions. */
export function machineText(results: Results): string {
  const { processor, cores, memoryGb, system, kernel, node, openssl, measuredOn } = results.machine;
  const versions = xmppServers.flatMap(({ name, title }) => {
    const version = results.cells.find((cell) => cell.server === name)?.version;
    return version === undefined ? [] : `${title} ${version}`;
  });
  const software = [...versions, `Node.js ${node}`, `OpenSSL ${openssl} in the generator`].join(', ');
  return `${processor}, ${cores} cores, ${memoryGb} GB, ${system}, Linux ${kernel}. ${software}. Measured on ${measuredOn}.\n`;
}
