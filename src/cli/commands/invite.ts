import type { MadeInvitation } from '../../c2s/invitations.ts';
import type { StoredInvitation } from '../../storage/invitations.ts';
import { type Cli, group, jidArgument, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printDone, printJson, printLines } from '../context.ts';
import { durationMs } from '../duration.ts';
import { operations } from '../operations.ts';
import { withServerOrData } from '../with-operations.ts';

const pageSize = 1000;

/** Adds `invite`, the commands for invitations. They also work while the server is stopped. */
export const inviteCommand = group('invite', 'Invite people to create an account', [
  inviteCreateCommand,
  inviteListCommand,
  inviteRevokeCommand,
]);

function inviteCreateCommand(cli: Cli, context: Context): void {
  cli.command(
    'create',
    'Create an invitation, and print its link',
    (options) =>
      jsonOption(options)
        .option('user', {
          type: 'string',
          requiresArg: true,
          describe: 'User name of the new account, reserved for it',
        })
        .option('contact', { type: 'string', requiresArg: true, describe: 'Account that becomes its first contact' })
        .option('domain', {
          type: 'string',
          requiresArg: true,
          describe: 'Domain of the new account [the first domain]',
        })
        .option('expires', { type: 'string', requiresArg: true, describe: 'Lifetime of the invitation, such as 2d' })
        .option('uses', { type: 'number', requiresArg: true, describe: 'Number of people who can use it [1]' }),
    async ({ user: username, contact, domain, expires, uses, json, config: file }) => {
      const location = await locateServer(context, file);
      const lifetimeMs = expires === undefined ? undefined : durationMs('expires', expires);
      const made = await withServerOrData(
        location,
        (operator) => operator.call(operations.createInvitation, { username, contact, domain, lifetimeMs, uses }),
        { create: true },
      );
      print(context, made, json);
    },
  );
}

function inviteListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List the invitations and reset links that can still be used',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const all: StoredInvitation[] = [];
      await withServerOrData(location, async (operator) => {
        for (let more = true; more; ) {
          const { invitations } = await operator.call(operations.listInvitations, {
            after: all.at(-1)?.id ?? 0,
            limit: pageSize,
          });
          all.push(...invitations);
          more = invitations.length === pageSize;
        }
      });
      if (json) printJson(context, { invitations: all });
      else printLines(context, aligned(all.map(row)));
    },
  );
}

function row({ id, kind, domain, username, account, maker, uses, expiresAtMs }: StoredInvitation): string[] {
  const purpose = { account: `account at ${domain}`, contact: 'contact', reset: 'new password' }[kind];
  const who = [
    username === undefined ? '' : `as ${username}`,
    account === undefined ? '' : `${kind === 'reset' ? 'of' : 'with'} ${account}`,
    maker === undefined || maker === account ? '' : `by ${maker}`,
  ];
  const left = uses === 1 ? 'once' : `${uses} times`;
  return [String(id), purpose, harmless(who.filter(Boolean).join(' ')), left, `until ${dateText(expiresAtMs)}`];
}

function inviteRevokeCommand(cli: Cli, context: Context): void {
  cli.command(
    'revoke <id>',
    'Revoke an invitation or a reset link',
    (options) =>
      jsonOption(options).positional('id', {
        type: 'number',
        demandOption: true,
        describe: 'Its number in "invite list"',
      }),
    async ({ id, json, config: file }) => {
      const location = await locateServer(context, file);
      await withServerOrData(location, (operator) => operator.call(operations.revokeInvitation, { id }));
      printDone(context, json, { id }, `Invitation ${id} is revoked.`);
    },
  );
}

/** Adds `user reset-link`. */
export function userResetLinkCommand(cli: Cli, context: Context): void {
  cli.command(
    'reset-link <jid>',
    'Create a link with which the user can set a new password, and print it',
    (options) =>
      jsonOption(jidArgument(options, 'Address of the account')).option('expires', {
        type: 'string',
        requiresArg: true,
        describe: 'Lifetime of the link, such as 12h [1d]',
      }),
    async ({ jid, expires, json, config: file }) => {
      const location = await locateServer(context, file);
      const lifetimeMs = expires === undefined ? undefined : durationMs('expires', expires);
      const made = await withServerOrData(location, (operator) =>
        operator.call(operations.createResetLink, { jid, lifetimeMs }),
      );
      print(context, made, json);
    },
  );
}

function print(context: Context, { id, landingUrl, uri, expiresAtMs }: MadeInvitation, json: boolean): void {
  const expires = new Date(expiresAtMs).toISOString();
  if (json) return printJson(context, { id, landingUrl, uri, expires });
  const page = landingUrl ?? '(none: people reach no page of this server, see listen.https and web.publicUrl)';
  printLines(
    context,
    aligned([
      ['For browsers', page],
      ...(uri === undefined ? [] : [['For apps', uri]]),
      ['Until', dateText(expiresAtMs)],
      ['To revoke it', `ampere invite revoke ${id}`],
    ]),
  );
}

function dateText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
