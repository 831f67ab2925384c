import type { TestStep } from '../../federation/link-test.ts';
import type { PeerStreamReport } from '../../federation/peer-report.ts';
import { type Cli, group, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { operations } from '../operations.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `s2s`, the commands for other servers. */
export const s2sCommand = group('s2s', 'Show and test the streams with other servers', [
  s2sListCommand,
  s2sTestCommand,
]);

function s2sListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List the streams with other servers and the stanzas that wait for them',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const { streams } = await withRunningServer(location, (server) => server.call(operations.listPeers, {}));
      if (json) printJson(context, { streams });
      else printLines(context, aligned(streams.toSorted(byDomain).map(streamRow)));
    },
  );
}

function byDomain(one: PeerStreamReport, other: PeerStreamReport): number {
  const key = ({ remote = '', local = '' }: PeerStreamReport) => `${remote} ${local}`;
  return key(one).localeCompare(key(other));
}

function streamRow(stream: PeerStreamReport): string[] {
  const { state, authenticatedBy = '', remoteAddress = '', failure, retryInMs = 0 } = stream;
  const held = [
    ...(stream.queued > 0 ? [`${stream.queued} waiting`] : []),
    ...(stream.unacknowledged > 0 ? [`${stream.unacknowledged} unacknowledged`] : []),
    ...(retryInMs > 0 ? [`next attempt in ${Math.ceil(retryInMs / 1000)} s`] : []),
    ...(failure === undefined ? [] : [harmless(failure)]),
  ];
  return [directionOf(stream), state, authenticatedBy, stream.tls ? 'TLS' : '', remoteAddress, held.join(', ')];
}

function directionOf({ local = '?', remote = '?', direction, bothWays }: PeerStreamReport): string {
  const arrow = bothWays ? '<->' : direction === 'out' ? '->' : '<-';
  return `${local} ${arrow} ${remote}`;
}

function s2sTestCommand(cli: Cli, context: Context): void {
  cli.command(
    'test <domain>',
    'Connect to the server of a domain and show each step',
    (options) =>
      jsonOption(options)
        .positional('domain', { type: 'string', demandOption: true, describe: 'Domain of the other server' })
        .option('from', {
          type: 'string',
          describe: 'Domain to connect from, served here or a component [the first domain]',
        }),
    async ({ domain, from, json, config: file }) => {
      const location = await locateServer(context, file);
      const pair = { remote: domain, local: from };
      const report = await withRunningServer(location, (server) => server.call(operations.testPeer, pair));
      if (json) printJson(context, report);
      else printLines(context, aligned(report.steps.map(stepRow)));
      if (!report.reached) throw new CommandError(exitCodes.failed, `The stream to ${domain} failed.`);
    },
  );
}

function stepRow({ ok, step, detail }: TestStep): string[] {
  return [ok ? 'ok' : 'failed', step, harmless(detail)];
}
