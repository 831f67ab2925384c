import type { Suspension } from '../../storage/moderation.ts';
import { type Cli, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, printDone, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user approve`. Without an address it lists the accounts that wait. */
export function userApproveCommand(cli: Cli, context: Context): void {
  cli.command(
    'approve [jid]',
    'Approve an account, so that its user can log in; without an address, list the accounts that wait for approval',
    (options) => jsonOption(options).positional('jid', { type: 'string', describe: 'Address of the account' }),
    async ({ jid, json, config: file }) => {
      if (jid === undefined) return list(context, file, json);
      const location = await locateServer(context, file);
      await withServerOrData(location, (operator) => operator.call(operations.approveUser, { jid }));
      printDone(context, json, { jid }, `${jid} is approved.`);
    },
  );
}

/** Adds `user reject`. */
export function userRejectCommand(cli: Cli, context: Context): void {
  cli.command(
    'reject <jid>',
    'Remove an account that waits for approval',
    (options) => jsonOption(jidArgument(options, 'Address of the account')),
    async ({ jid, json, config: file }) => {
      const location = await locateServer(context, file);
      await withServerOrData(location, (operator) => operator.call(operations.rejectUser, { jid }));
      printDone(context, json, { jid }, `${jid} was removed.`);
    },
  );
}

async function list(context: Context, file: string | undefined, json: boolean): Promise<void> {
  const location = await locateServer(context, file);
  const { accounts } = await withServerOrData(location, (operator) => operator.call(operations.listWaiting, {}));
  if (json) printJson(context, { accounts });
  else printLines(context, aligned(accounts.map(row)));
}

function row({ jid, atMs, removeAtMs }: Suspension): string[] {
  const removal = removeAtMs === undefined ? '' : `removed on ${new Date(removeAtMs).toISOString()}`;
  return [jid, `since ${new Date(atMs).toISOString()}`, removal];
}
