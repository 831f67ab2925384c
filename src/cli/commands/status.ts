import { type ListenerKind, listenerKinds } from '../../config/listener-kinds.ts';
import type { DiskState } from '../../storage/storage.ts';
import type { ListenedAddress } from '../../web/control/running-server.ts';
import type { StatusReport } from '../../web/control/server-operations.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `status`. */
export function statusCommand(cli: Cli, context: Context): void {
  cli.command(
    'status',
    'Show the state of the running server',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const status = await withRunningServer(location, (server) => server.call(operations.serverStatus, {}));
      if (json) printJson(context, status);
      else printLines(context, aligned(rows(status)));
    },
  );
}

function rows(status: StatusReport): string[][] {
  return [
    ['Version', status.version],
    ['Process', String(status.pid)],
    ['Started', new Date(status.startedAtMs).toISOString()],
    ['Domains', status.domains.join(', ')],
    ...Object.entries<ListenerKind>(listenerKinds).flatMap(([name, kind]) => {
      const listened = status.addresses[name] ?? [];
      return kind.needed || listened.length > 0 ? [[kind.label, addresses(listened)]] : [];
    }),
    ['Accounts', String(status.accounts)],
    ['Sessions', String(status.sessions)],
    ['Connections', String(status.connections)],
    ...Object.values(status.extensions).map(({ title, summary }) => [title, summary]),
    ['Memory', `${Math.round(status.residentBytes / 2 ** 20)} MiB`],
    ['Disk', disk(status.disk)],
    ['Certificates', certificates(status)],
  ];
}

function disk({ freeBytes, totalBytes, refusing }: DiskState): string {
  const [free, total] = [freeBytes, totalBytes].map((bytes) => (bytes / 2 ** 30).toFixed(1));
  return `${free} of ${total} GiB free${refusing ? '; new data is refused until space is free' : ''}`;
}

function certificates({ certificates: expiries }: StatusReport): string {
  return expiries.map(({ domain, atMs }) => `${domain} until ${new Date(atMs).toISOString()}`).join(', ') || 'none';
}

function addresses(listened: readonly ListenedAddress[]): string {
  return listened.map(({ address, port }) => `${address} port ${port}`).join(', ') || 'none';
}
