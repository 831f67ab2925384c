import { resolve } from 'node:path';
import { systemClock } from '../../support/clock.ts';
import type { Operator } from '../../web/control/operator.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printDone } from '../context.ts';
import { Progress } from '../progress.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `export`. */
export function exportCommand(cli: Cli, context: Context): void {
  cli.command(
    'export <path>',
    'Write all accounts and rooms into a directory, or all accounts into one XEP-0227 file',
    (options) =>
      jsonOption(options).positional('path', {
        type: 'string',
        demandOption: true,
        describe: 'Directory; or, if it ends with .xml, file to create',
      }),
    async ({ path, json, config: configFile }) => {
      const location = await locateServer(context, configFile);
      const { domains } = await location.readConfig();
      const target = resolve(context.directory, path);
      await withServerOrData(location, (operator) => exportAll(context, domains, operator, target));
      printDone(context, json, { path: target }, `Written to ${target}.`);
    },
  );
}

async function exportAll(
  context: Context,
  domains: readonly string[],
  operator: Operator<ServedDomains>,
  target: string,
): Promise<void> {
  const lose = (account: string, what: string) => context.stderr.write(`${account}: left out: ${what}\n`);
  if (target.endsWith('.xml')) {
    const [{ exportedDocument }, { writeNewFile }, { operatorAddress }] = await Promise.all([
      import('../export/export-users.ts'),
      import('../export/write-export.ts'),
      import('../../routing/operation.ts'),
    ]);
    return writeNewFile(context, target, exportedDocument({ operator, lose }, domains.map(operatorAddress)));
  }
  const { DirectoryExport } = await import('../export/export-directory.ts');
  const progress = new Progress(context, 'accounts');
  const written = new DirectoryExport({ operator, lose, exported: () => progress.step() }, target);
  const begun = await written.begin(systemClock.nowMs());
  if (begun !== undefined) context.stderr.write(`Continues the export that began at ${begun}.\n`);
  try {
    await written.write(domains);
  } finally {
    progress.end();
  }
}
