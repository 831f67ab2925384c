import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { explanationLines } from '../explanation-lines.ts';
import { operations } from '../operations.ts';
import { ruleOption, rulesOption } from '../rule-option.ts';
import { withRunningServer } from '../with-operations.ts';

/** Adds `amp explain`. */
export function ampExplainCommand(cli: Cli, context: Context): void {
  cli.command(
    'explain',
    'Show what would happen to a message now, without sending it',
    (options) =>
      rulesOption(
        jsonOption(options),
        'Rule, such as action=drop,condition=deliver,value=stored; repeat for more, in order',
      )
        .option('from', { type: 'string', requiresArg: true, describe: 'Sender' })
        .option('to', { type: 'string', requiresArg: true, describe: 'Recipient' })
        .option('file', {
          type: 'string',
          requiresArg: true,
          describe: 'File with the message as XML; - reads standard input',
        })
        .option('type', {
          choices: ['chat', 'error', 'groupchat', 'headline', 'normal'],
          describe: 'Type of the message [chat]',
        })
        .option('at', {
          type: 'string',
          requiresArg: true,
          describe: 'Time of arrival, such as 2026-03-01T12:00:00Z [now]',
        })
        .conflicts('file', ['rule', 'type']),
    async ({ json, config: named, file, from, to, type, rule, at }) => {
      const location = await locateServer(context, named);
      const xml = file === undefined ? undefined : await contentOf(context, file);
      const rules = rule?.map(ruleOption);
      const request = { xml, from, to, type, rules, atMs: moment(at) };
      const report = await withRunningServer(location, (server) => server.call(operations.explainMessage, request));
      if (json) printJson(context, report);
      else printLines(context, explanationLines(report));
    },
  );
}

async function contentOf({ stdin, directory }: Context, file: string): Promise<string> {
  return file === '-' ? text(stdin) : readFile(resolve(directory, file), 'utf8');
}

function moment(at: string | undefined): number | undefined {
  if (at === undefined) return undefined;
  const ms = Date.parse(at);
  if (Number.isNaN(ms))
    throw new CommandError(exitCodes.usage, `--at must be a time such as 2026-03-01T12:00:00Z, not ${at}.`);
  return ms;
}
