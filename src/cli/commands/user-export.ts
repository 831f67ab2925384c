import { type Cli, jidArgument, outOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import type { Context } from '../context.ts';
import { writeExport } from '../export/write-export.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user export`. */
export function userExportCommand(cli: Cli, context: Context): void {
  cli.command(
    'export <jid>',
    'Write an account, or all accounts of a domain, as a XEP-0227 file',
    (options) => outOption(jidArgument(options, 'Address of the account, or a domain')),
    async ({ jid, out, json, config: configFile }) => {
      const location = await locateServer(context, configFile);
      const [{ exportedDocument }, { operatorAddress }] = await Promise.all([
        import('../export/export-users.ts'),
        import('../../routing/operation.ts'),
      ]);
      const lose = (account: string, what: string) => context.stderr.write(`${account}: left out: ${what}\n`);
      await withServerOrData(location, (operator) =>
        writeExport(context, { out, json }, exportedDocument({ operator, lose }, [operatorAddress(jid)])),
      );
    },
  );
}
