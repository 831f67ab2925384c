import { formatDateTime } from '../../protocol/date-time.ts';
import type { Suspension } from '../../storage/moderation.ts';
import { type Cli, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withServerOrData } from '../with-operations.ts';

/** Adds `user show`. */
export function userShowCommand(cli: Cli, context: Context): void {
  cli.command(
    'show <jid>',
    'Show when a user was last online, and how many contacts and stored messages the account has',
    (options) =>
      jsonOption(jidArgument(options, 'Address of the account')).option('roster', {
        type: 'boolean',
        default: false,
        describe: 'Also list the contacts',
      }),
    async ({ jid, roster, json, config: file }) => {
      const location = await locateServer(context, file);
      const { shown, contacts } = await withServerOrData(location, async (operator) => ({
        shown: await operator.call(operations.showUser, { jid }),
        contacts: roster ? (await operator.call(operations.userRoster, { jid })).contacts : undefined,
      }));
      if (json) return printJson(context, { ...shown, ...(contacts && { roster: contacts }) });
      const rows = [
        ['registered', shown.registeredAt ?? 'by the operator'],
        ['last online', shown.online ? 'now' : (shown.lastOnline ?? 'never')],
        ['contacts', String(shown.contacts)],
        ['blocked addresses', String(shown.blocked)],
        ['stored messages', String(shown.offlineMessages)],
        ...(shown.forwardTo === undefined ? [] : [['forwarded to', shown.forwardTo]]),
        ...suspensionRows(shown.suspension),
      ];
      const listed = contacts?.map(({ contact, subscription, name }) => [contact, subscription, harmless(name)]);
      printLines(context, [...aligned(rows), ...aligned(listed ?? [])]);
    },
  );
}

function suspensionRows(suspension: Suspension | undefined): string[][] {
  if (!suspension) return [];
  const { atMs, reason = '', removeAtMs, awaitsApproval } = suspension;
  const since = `since ${formatDateTime(atMs)}`;
  if (awaitsApproval) return [['waits for approval', since]];
  return [
    ['suspended', reason === '' ? since : `${since}: ${harmless(reason)}`],
    ...(removeAtMs === undefined ? [] : [['removed on', formatDateTime(removeAtMs)]]),
  ];
}
