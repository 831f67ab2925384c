import type { ComponentReport } from '../../components/component.ts';
import { type Cli, jsonOption, requireCommand } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, printJson, printLines } from '../context.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `components list`. */
export function componentsCommand(cli: Cli, context: Context): void {
  cli.command('components', 'Show the components', (components) => {
    components.command(
      'list',
      'List the components, their connections and waiting stanzas',
      (options) => jsonOption(options),
      async ({ json, config: file }) => {
        const location = await locateServer(context, file);
        const { listComponents } = await import('../../web/control/server-operations.ts');
        const { components } = await withRunningServer(location, (server) => server.call(listComponents, {}));
        if (json) printJson(context, { components });
        else printLines(context, aligned(components.map(row)));
      },
    );
    return requireCommand(components, 'ampere components');
  });
}

function row({ domain, gateway, remoteAddress, waiting }: ComponentReport): string[] {
  const state = remoteAddress === undefined ? 'not connected' : `connected from ${remoteAddress}`;
  return [domain, state, gateway ? 'gateway' : '', waiting > 0 ? `${waiting} waiting` : ''];
}
