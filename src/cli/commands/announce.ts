import type { NoticeKind } from '../../storage/moderation.ts';
import { type Cli, jsonOption, requireCommand } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printJson, printLines } from '../context.ts';
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
        .option('all', { type: 'boolean', default: false, describe: 'To all accounts; stored for absent users' })
        .option('domain', { type: 'string', requiresArg: true, describe: 'Only to users of this domain' }),
    async ({ text, subject, all, domain, json, config: file }) => {
      const location = await locateServer(context, file);
      const { announce } = await import('../../extensions/announcements.ts');
      const request = { text, subject, to: all ? ('all' as const) : ('online' as const), domain };
      const { recipients } = await withRunningServer(location, (server) => server.call(announce, request));
      if (json) printJson(context, { recipients });
      else printLines(context, [`Sent to ${recipients} ${recipients === 1 ? 'account' : 'accounts'}.`]);
    },
  );
}

/** Adds `notice`, the commands for what users get when they come online. */
export function noticeCommand(cli: Cli, context: Context): void {
  cli.command('notice', 'Set the text that users of a domain get once when they come online', (options) => {
    for (const add of [noticeSetCommand, noticeRemoveCommand, noticeListCommand]) add(options, context);
    return requireCommand(options, 'ampere notice');
  });
}

function noticeSetCommand(cli: Cli, context: Context): void {
  cli.command(
    'set <domain> <text>',
    'Set the text',
    (options) =>
      noticeArguments(options).positional('text', { type: 'string', demandOption: true, describe: 'The text' }),
    async ({ domain, welcome, text, config: file }) => {
      const location = await locateServer(context, file);
      const { setNotice } = await import('../../extensions/announcements.ts');
      await withRunningServer(location, (server) => server.call(setNotice, { domain, kind: kindOf(welcome), text }));
      const when = welcome
        ? 'New users get it when they come online for the first time.'
        : 'Users who are online get it now, the others when they come online.';
      printLines(context, [when]);
    },
  );
}

function noticeRemoveCommand(cli: Cli, context: Context): void {
  cli.command('rm <domain>', 'Remove the text', noticeArguments, async ({ domain, welcome, config: file }) => {
    const location = await locateServer(context, file);
    const { removeNotice } = await import('../../extensions/announcements.ts');
    await withRunningServer(location, (server) => server.call(removeNotice, { domain, kind: kindOf(welcome) }));
    printLines(context, [`${domain} has no ${welcome ? 'welcome' : 'notice'} any more.`]);
  });
}

function noticeListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List the texts',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const { listNotices } = await import('../../extensions/announcements.ts');
      const { notices } = await withRunningServer(location, (server) => server.call(listNotices, {}));
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
  return options
    .positional('domain', { type: 'string', demandOption: true, describe: 'A domain served here' })
    .option('welcome', { type: 'boolean', default: false, describe: 'The text for users who were never online' });
}

function kindOf(welcome: boolean): NoticeKind {
  return welcome ? 'welcome' : 'online';
}
