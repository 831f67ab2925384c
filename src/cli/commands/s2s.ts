import type { TestStep } from '../../federation/link-test.ts';
import type { PeerStreamReport } from '../../federation/peer-report.ts';
import { escapeControls } from '../../support/log.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { aligned, type Context, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `s2s`, the commands about other servers. */
export function s2sCommand(cli: Cli, context: Context): void {
  cli.command('s2s', 'Look after streams with other servers', (options) => {
    for (const add of [s2sListCommand, s2sTestCommand]) add(options, context);
    return options.demandCommand(1, 'Name a command; ampere s2s --help lists them.');
  });
}

function s2sListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List the streams with other servers, and what waits for them',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const config = await readConfiguration(context, file);
      const { listPeers } = await import('../../web/control/server-operations.ts');
      const { streams } = await withRunningServer(config, (server) => server.call(listPeers, {}));
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
  const { state, authenticatedBy = '', remoteAddress = '', failure, restMs = 0 } = stream;
  const held = [
    ...(stream.queued > 0 ? [`${stream.queued} waiting`] : []),
    ...(stream.unacknowledged > 0 ? [`${stream.unacknowledged} under way`] : []),
    ...(restMs > 0 ? [`for another ${Math.ceil(restMs / 1000)} s`] : []),
    ...(failure === undefined ? [] : [harmless(failure)]),
  ];
  return [wayOf(stream), state, authenticatedBy, stream.tls ? 'TLS' : '', remoteAddress, held.join(', ')];
}

function wayOf({ local = '?', remote = '?', direction, bothWays }: PeerStreamReport): string {
  const arrow = bothWays ? '<->' : direction === 'out' ? '->' : '<-';
  return `${local} ${arrow} ${remote}`;
}

function s2sTestCommand(cli: Cli, context: Context): void {
  cli.command(
    'test <domain>',
    'Connect to the server of a domain and say how far that gets',
    (options) =>
      jsonOption(options)
        .positional('domain', { type: 'string', demandOption: true, describe: 'The other domain' })
        .option('from', {
          type: 'string',
          describe: 'The domain of ours, or a component, to connect from; the first domain unless given',
        }),
    async ({ domain, from, json, config: file }) => {
      const config = await readConfiguration(context, file);
      const { testPeer } = await import('../../web/control/server-operations.ts');
      const pair = { remote: domain, local: from };
      const report = await withRunningServer(config, (server) => server.call(testPeer, pair));
      if (json) printJson(context, report);
      else printLines(context, aligned(report.steps.map(stepRow)));
      if (!report.reached) throw new CommandError(exitCodes.failed, `There is no stream to ${domain}.`);
    },
  );
}

function stepRow({ ok, step, detail }: TestStep): string[] {
  return [ok ? 'ok' : 'failed', step, harmless(detail)];
}

/** What another server says must not disguise a line. */
function harmless(text: string): string {
  return escapeControls(JSON.stringify(text).slice(1, -1)).replaceAll('\\"', '"');
}
