import { type PassingOn, type ReportSummary, reasonWord, type StoredReport } from '../../storage/reports.ts';
import type { Operator } from '../../web/control/operator.ts';
import type { ServedDomains } from '../../web/control/served-domains.ts';
import { type Cli, group, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { aligned, type Context, harmless, printDone, printJson, printLines } from '../context.ts';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { operations } from '../operations.ts';
import { withServerOrData } from '../with-operations.ts';

const pageSize = 1000;

const recipients: Readonly<Record<PassingOn, string>> = {
  'report-origin': 'the server of the address',
  'third-party': 'third parties',
};

/** Adds `report`, the commands for the reports of users. They also work while the server is stopped. */
export const reportCommand = group('report', 'Show and remove the reports by users of spam and abuse', [
  reportListCommand,
  reportShowCommand,
  reportRemoveCommand,
]);

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
  const all: ReportSummary[] = [];
  for (let more = true; more; ) {
    const { reports } = await operator.call(operations.listReports, { before: all.at(-1)?.id, limit: pageSize });
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
      const report = await withServerOrData(location, (operator) => operator.call(operations.showReport, { id }));
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
  cli.command(
    'rm <id>',
    'Remove a report',
    (options) => jsonOption(idArgument(options)),
    async ({ id, json, config: file }) => {
      const location = await locateServer(context, file);
      await withServerOrData(location, (operator) => operator.call(operations.removeReport, { id }));
      printDone(context, json, { id }, `Report ${id} was removed.`);
    },
  );
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
