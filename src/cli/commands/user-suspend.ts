import type { Suspension } from '../../storage/moderation.ts';
import { type Cli, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printJson, printLines } from '../context.ts';
import { durationMs } from '../duration.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user suspend`. Without an address it lists the suspended accounts. */
export function userSuspendCommand(cli: Cli, context: Context): void {
  cli.command(
    'suspend [jid]',
    'Refuse logins to an account and end its sessions; without an address, list the suspended accounts',
    (options) =>
      jsonOption(options)
        .positional('jid', { type: 'string', describe: 'Address of the account' })
        .option('reason', { type: 'string', requiresArg: true, describe: 'Text that the user gets' })
        .option('remove-after', {
          type: 'string',
          requiresArg: true,
          describe: 'Remove the account then, unless it is resumed, such as 14d',
        }),
    async ({ jid, json, reason, removeAfter, config: file }) => {
      if (jid === undefined) return list(context, file, json);
      const location = await locateServer(context, file);
      const removeAfterMs = removeAfter === undefined ? undefined : durationMs('remove-after', removeAfter);
      const { suspendUser } = await import('../../web/control/moderation-operations.ts');
      const { removeAtMs } = await withServerOrData(location, (operator) =>
        operator.call(suspendUser, { jid, reason, removeAfterMs }),
      );
      if (json) return printJson(context, { jid, removeAtMs });
      const until = removeAtMs === undefined ? '' : `, and is removed on ${new Date(removeAtMs).toISOString()}`;
      printLines(context, [`${jid} is suspended${until}.`]);
    },
  );
}

async function list(context: Context, file: string | undefined, json: boolean): Promise<void> {
  const location = await locateServer(context, file);
  const { listSuspensions } = await import('../../web/control/moderation-operations.ts');
  const { suspensions } = await withServerOrData(location, (operator) => operator.call(listSuspensions, {}));
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
    (options) => jidArgument(options, 'Address of the account'),
    async ({ jid, config: file }) => {
      const location = await locateServer(context, file);
      const { resumeUser } = await import('../../web/control/moderation-operations.ts');
      await withServerOrData(location, (operator) => operator.call(resumeUser, { jid }));
      printLines(context, [`${jid} is not suspended any more.`]);
    },
  );
}
