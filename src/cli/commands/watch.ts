import type { WatchedKind } from '../../web/watch/watch-filter.ts';
import type { WatchedStanza, WatchItem } from '../../web/watch/watcher.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, harmless, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withRunningServer } from '../with-operations.ts';

const kinds: readonly WatchedKind[] = ['message', 'presence', 'iq', 'log'];

/** Adds `watch`. */
export function watchCommand(cli: Cli, context: Context): void {
  cli.command(
    'watch',
    'Show stanzas and the log of the running server live, until Ctrl-C',
    (options) =>
      jsonOption(options)
        .parserConfiguration({ 'duplicate-arguments-array': true })
        .option('jid', { type: 'string', requiresArg: true, describe: 'Only traffic from or to this address' })
        .option('domain', { type: 'string', requiresArg: true, describe: 'Only traffic from or to this domain' })
        .option('kind', {
          type: 'string',
          array: true,
          requiresArg: true,
          choices: kinds,
          describe: 'Only this kind; repeat for more',
        })
        .option('ns', { type: 'string', requiresArg: true, describe: 'Only stanzas with content in this namespace' })
        .option('bodies', {
          type: 'boolean',
          default: false,
          describe: 'Show the contents of stanzas; the audit log records this',
        }),
    async ({ json, config: file, jid, domain, kind, ns, bodies }) => {
      const location = await locateServer(context, file);
      const request = { jid, domain, kinds: kind as readonly WatchedKind[] | undefined, ns, bodies };
      await withRunningServer(location, async (server) => {
        for await (const item of server.follow(operations.watch, request)) {
          printLines(context, json ? [JSON.stringify(item)] : linesOf(item));
        }
      });
    },
  );
}

function linesOf(item: WatchItem): string[] {
  switch (item.what) {
    case 'stanza':
      return [stanzaLine(item), ...(item.content === '' ? [] : [`  ${harmless(item.content)}`])];
    case 'log':
      return [logLine(item.line)];
    case 'lost':
      return [`(${item.items} more are not shown: there was too much at once)`];
    case 'end':
      return [`(the watch has ended: ${item.reason})`];
  }
}

function stanzaLine({ at, direction, via, peer, kind, type, id, from, to, bytes }: WatchedStanza): string {
  const arrow = direction === 'in' ? '->' : '<-';
  const words = [
    at.slice(11, 23),
    `${via} ${harmless(peer)} ${arrow}`,
    [kind, type].filter(Boolean).join(' '),
    from === undefined ? [] : `from ${from}`,
    to === undefined ? [] : `to ${to}`,
    id === undefined ? [] : `id ${id}`,
    `${bytes} bytes`,
  ];
  return harmless(words.flat().join(' '));
}

/** A line of the log as people read it. Its fields follow its message. */
function logLine(line: string): string {
  const parsed = parsedLine(line);
  if (typeof parsed !== 'object' || parsed === null) return harmless(line);
  const { level, time, msg, ...fields } = parsed as Record<string, unknown>;
  const words = Object.entries(fields).map(([name, value]) => `${name}=${textOf(value)}`);
  const at = String(time ?? '').slice(11, 23);
  return harmless([at, levels.get(Number(level)) ?? 'log', String(msg), ...words].join(' '));
}

const levels = new Map([
  [20, 'debug'],
  [30, 'info'],
  [40, 'WARN'],
  [50, 'ERROR'],
]);

function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
