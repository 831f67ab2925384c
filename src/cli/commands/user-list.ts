import type { Operator } from '../../web/control/operator.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withServerOrData } from '../with-operations.ts';

const pageSize = 5000;

/** Adds `user list`. */
export function userListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List the accounts',
    (options) =>
      jsonOption(options).option('domain', { type: 'string', describe: 'List only the accounts of this domain' }),
    async ({ json, domain, config: file }) => {
      const location = await locateServer(context, file);
      const users = await withServerOrData(location, (operator) => allUsers(operator, domain));
      if (json) printJson(context, { users });
      else printLines(context, users);
    },
  );
}

async function allUsers(operator: Operator<ServedDomains>, domain: string | undefined): Promise<string[]> {
  const all: string[] = [];
  for (let more = true; more; ) {
    const { users } = await operator.call(operations.listUsers, { domain, after: all.at(-1), limit: pageSize });
    all.push(...users);
    more = users.length === pageSize;
  }
  return all;
}
