import type { ComponentReport } from '../../components/component.ts';
import { type Cli, group, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `components`. */
export const componentsCommand = group('components', 'Show the components', [componentsListCommand]);

function componentsListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List the components, their connections and waiting stanzas',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const { components } = await withRunningServer(location, (server) => server.call(operations.listComponents, {}));
      if (json) printJson(context, { components });
      else printLines(context, aligned(components.map(row)));
    },
  );
}

function row({ domain, gateway, remoteAddress, waiting }: ComponentReport): string[] {
  const state = remoteAddress === undefined ? 'not connected' : `connected from ${remoteAddress}`;
  return [domain, state, gateway ? 'gateway' : '', waiting > 0 ? `${waiting} waiting` : ''];
}
