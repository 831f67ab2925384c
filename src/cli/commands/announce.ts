import type { NoticeKind } from '../../storage/moderation.ts';
import { type Cli, group, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printDone, printJson, printLines } from '../context.ts';
import { operations } from '../operations.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `announce`. */
export function announceCommand(cli: Cli, context: Context): void {
  cli.command(
    'announce <text>',
    'Send a message from the server to all users who are online',
    (options) =>
      jsonOption(options)
        .positional('text', { type: 'string', demandOption: true, describe: 'The text' })
        .option('subject', { type: 'string', requiresArg: true, describe: 'The subject' })
        .option('all', {
          type: 'boolean',
          default: false,
          describe: 'Send to all accounts; users who are offline get it later',
        })
        .option('domain', { type: 'string', requiresArg: true, describe: 'Send only to users of this domain' }),
    async ({ text, subject, all, domain, json, config: file }) => {
      const location = await locateServer(context, file);
      const request = { text, subject, to: all ? ('all' as const) : ('online' as const), domain };
      const { recipients } = await withRunningServer(location, (server) => server.call(operations.announce, request));
      printDone(context, json, { recipients }, `Sent to ${recipients} ${recipients === 1 ? 'account' : 'accounts'}.`);
    },
  );
}

/** Adds `notice`, the commands for what users get when they come online. */
export const noticeCommand = group(
  'notice',
  'Manage the texts that users of a domain get once, when they come online',
  [noticeSetCommand, noticeRemoveCommand, noticeListCommand],
);

function noticeSetCommand(cli: Cli, context: Context): void {
  cli.command(
    'set <domain> <text>',
    'Set the text',
    (options) =>
      noticeArguments(options).positional('text', { type: 'string', demandOption: true, describe: 'The text' }),
    async ({ domain, welcome, text, json, config: file }) => {
      const location = await locateServer(context, file);
      const kind = kindOf(welcome);
      await withRunningServer(location, (server) => server.call(operations.setNotice, { domain, kind, text }));
      const when = welcome
        ? 'New users get it when they come online for the first time.'
        : 'Users who are online get it now, the others when they come online.';
      printDone(context, json, { domain, kind }, when);
    },
  );
}

function noticeRemoveCommand(cli: Cli, context: Context): void {
  cli.command(
    'rm <domain>',
    'Remove the text',
    (options) => noticeArguments(options),
    async ({ domain, welcome, json, config: file }) => {
      const location = await locateServer(context, file);
      const kind = kindOf(welcome);
      await withRunningServer(location, (server) => server.call(operations.removeNotice, { domain, kind }));
      printDone(context, json, { domain, kind }, `${domain} no longer has a ${welcome ? 'welcome' : 'notice'}.`);
    },
  );
}

function noticeListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List the texts',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const { notices } = await withRunningServer(location, (server) => server.call(operations.listNotices, {}));
      if (json) printJson(context, { notices });
      else
        printLines(
          context,
          aligned(notices.map(({ domain, kind, since, text }) => [domain, kind, since, harmless(text)])),
        );
    },
  );
}

function noticeArguments(options: Cli) {
  return jsonOption(options)
    .positional('domain', { type: 'string', demandOption: true, describe: 'A domain served here' })
    .option('welcome', {
      type: 'boolean',
      default: false,
      describe: 'The text for users who come online for the first time',
    });
}

function kindOf(welcome: boolean): NoticeKind {
  return welcome ? 'welcome' : 'online';
}
