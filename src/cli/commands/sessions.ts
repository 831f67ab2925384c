import type { SessionReport } from '../../web/control/session-operations.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `sessions`. */
export function sessionsCommand(cli: Cli, context: Context): void {
  cli.command(
    'sessions',
    'List the connected sessions',
    (options) =>
      jsonOption(options).option('user', { type: 'string', describe: 'Show only the sessions of this account' }),
    async ({ json, user, config: file }) => {
      const location = await locateServer(context, file);
      const { sessions } = await withRunningServer(location, (server) =>
        server.call(operations.listSessions, { user }),
      );
      if (json) printJson(context, { sessions });
      else printLines(context, aligned(sessions.map(row)));
    },
  );
}

function row({ jid, available, priority, boundAtMs, remoteAddress, secure }: SessionReport): string[] {
  const presence = available ? `priority ${priority}` : 'unavailable';
  const since = boundAtMs === undefined ? '' : new Date(boundAtMs).toISOString();
  return [jid, presence, remoteAddress ?? '', secure === true ? 'TLS' : '', since];
}
