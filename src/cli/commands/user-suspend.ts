import type { Suspension } from '../../storage/moderation.ts';
import { type Cli, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printDone, printJson, printLines } from '../context.ts';
import { durationMs } from '../duration.ts';
import { operations } from '../operations.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user suspend`. Without an address it lists the suspended accounts. */
export function userSuspendCommand(cli: Cli, context: Context): void {
  cli.command(
    'suspend [jid]',
    'Refuse logins to an account and end its sessions; without an address, list the suspended accounts',
    (options) =>
      jsonOption(options)
        .positional('jid', { type: 'string', describe: 'Address of the account' })
        .option('reason', { type: 'string', requiresArg: true, describe: 'Text that the user gets at login' })
        .option('remove-after', {
          type: 'string',
          requiresArg: true,
          describe: 'Remove the account after this time, such as 14d, unless it is resumed',
        }),
    async ({ jid, json, reason, removeAfter, config: file }) => {
      if (jid === undefined) return list(context, file, json);
      const location = await locateServer(context, file);
      const removeAfterMs = removeAfter === undefined ? undefined : durationMs('remove-after', removeAfter);
      const { removeAtMs } = await withServerOrData(location, (operator) =>
        operator.call(operations.suspendUser, { jid, reason, removeAfterMs }),
      );
      const until = removeAtMs === undefined ? '' : `, and is removed on ${new Date(removeAtMs).toISOString()}`;
      printDone(context, json, { jid, removeAtMs }, `${jid} is suspended${until}.`);
    },
  );
}

async function list(context: Context, file: string | undefined, json: boolean): Promise<void> {
  const location = await locateServer(context, file);
  const { suspensions } = await withServerOrData(location, (operator) => operator.call(operations.listSuspensions, {}));
  if (json) printJson(context, { suspensions });
  else printLines(context, aligned(suspensions.map(row)));
}

function row({ jid, atMs, removeAtMs, reason = '' }: Suspension): string[] {
  const removal = removeAtMs === undefined ? '' : `removed on ${new Date(removeAtMs).toISOString()}`;
  return [jid, `since ${new Date(atMs).toISOString()}`, removal, harmless(reason)];
}

/** Adds `user resume`. */
export function userResumeCommand(cli: Cli, context: Context): void {
  cli.command(
    'resume <jid>',
    'Let the user of a suspended account log in again',
    (options) => jsonOption(jidArgument(options, 'Address of the account')),
    async ({ jid, json, config: file }) => {
      const location = await locateServer(context, file);
      await withServerOrData(location, (operator) => operator.call(operations.resumeUser, { jid }));
      printDone(context, json, { jid }, `${jid} is no longer suspended.`);
    },
  );
}
