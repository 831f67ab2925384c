import type { Operations } from '../../web/control/operations.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { readConfiguration } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { withServerOrData } from '../with-operations.ts';

const pageSize = 5000;

/** Adds `user list`. */
export function userListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List the accounts',
    (options) => jsonOption(options).option('domain', { type: 'string', describe: 'Only those of this domain' }),
    async ({ json, domain, config: file }) => {
      const config = await readConfiguration(context, file);
      const users = await withServerOrData(config, (operations) => allUsers(operations, domain));
      if (json) printJson(context, { users });
      else printLines(context, users);
    },
  );
}

async function allUsers(operations: Operations, domain: string | undefined): Promise<string[]> {
  const users: string[] = [];
  for (let page: readonly string[] | undefined; page === undefined || page.length === pageSize; ) {
    page = await operations.listUsers({ domain, after: users.at(-1), limit: pageSize });
    users.push(...page);
  }
  return users;
}
