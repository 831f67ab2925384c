import { type PassingOn, type ReportSummary, reasonWord, type StoredReport } from '../../storage/reports.ts';
import type { Operator } from '../../web/control/operator.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { type Cli, jsonOption, requireCommand } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { withServerOrData } from '../with-operations.ts';

const pageSize = 1000;

const recipients: Readonly<Record<PassingOn, string>> = {
  'report-origin': 'the server of the address',
  'third-party': 'third parties',
};

/** Adds `report`, the commands for the reports of users. They also work while the server is stopped. */
export function reportCommand(cli: Cli, context: Context): void {
  cli.command('report', 'Show and remove the reports of users about spam and abuse', (options) => {
    for (const add of [reportListCommand, reportShowCommand, reportRemoveCommand]) add(options, context);
    return requireCommand(options, 'ampere report');
  });
}

function reportListCommand(cli: Cli, context: Context): void {
  cli.command(
    'list',
    'List the reports, latest first',
    (options) => jsonOption(options),
    async ({ json, config: file }) => {
      const location = await locateServer(context, file);
      const reports = await withServerOrData(location, allReports);
      if (json) printJson(context, { reports });
      else printLines(context, aligned(reports.map(row)));
    },
  );
}

async function allReports(operator: Operator<ServedDomains>): Promise<ReportSummary[]> {
  const { listReports } = await import('../../web/control/report-operations.ts');
  const all: ReportSummary[] = [];
  for (let more = true; more; ) {
    const { reports } = await operator.call(listReports, { before: all.at(-1)?.id, limit: pageSize });
    all.push(...reports);
    more = reports.length === pageSize;
  }
  return all;
}

function row({ id, atMs, jid, reason, reporter, messageCount }: ReportSummary): string[] {
  const quoted = messageCount === 1 ? '1 message' : `${messageCount} messages`;
  return [String(id), timeText(atMs), harmless(reasonWord(reason)), harmless(jid), `reported by ${reporter}`, quoted];
}

function reportShowCommand(cli: Cli, context: Context): void {
  cli.command(
    'show <id>',
    'Show a report with the messages that it quotes',
    (options) => jsonOption(idArgument(options)),
    async ({ id, json, config: file }) => {
      const location = await locateServer(context, file);
      const { showReport } = await import('../../web/control/report-operations.ts');
      const report = await withServerOrData(location, (operator) => operator.call(showReport, { id }));
      if (json) printJson(context, report);
      else printLines(context, reportLines(report));
    },
  );
}

function reportLines({ id, atMs, jid, reason, reporter, texts, passingOn, messages }: StoredReport): string[] {
  const allowed = passingOn.map((one) => recipients[one]).join(' and ');
  return [
    `Report ${id}, ${timeText(atMs)}`,
    `Address: ${harmless(jid)}`,
    `Reason: ${harmless(reason)}`,
    `Reported by: ${reporter}`,
    `May be passed on to: ${allowed || 'nobody'}`,
    ...texts.map(({ text, lang }) => `Text${lang === undefined ? '' : ` (${harmless(lang)})`}: ${harmless(text)}`),
    ...messages.map(({ atMs: receivedAtMs, xml }) => `Message, ${timeText(receivedAtMs)}: ${harmless(xml)}`),
  ];
}

function reportRemoveCommand(cli: Cli, context: Context): void {
  cli.command('rm <id>', 'Remove a report', idArgument, async ({ id, config: file }) => {
    const location = await locateServer(context, file);
    const { removeReport } = await import('../../web/control/report-operations.ts');
    await withServerOrData(location, (operator) => operator.call(removeReport, { id }));
    printLines(context, [`Report ${id} was removed.`]);
  });
}

function idArgument(options: Cli) {
  return options.positional('id', {
    type: 'string',
    demandOption: true,
    describe: 'Number of the report',
    coerce: (text: string) => {
      if (/^\d{1,15}$/.test(text)) return Number(text);
      throw new CommandError(exitCodes.usage, `${JSON.stringify(text)} is not the number of a report.`);
    },
  });
}

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
