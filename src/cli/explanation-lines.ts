import type { ExplainReport } from '../extensions/amp/operator/message-operations.ts';
import { aligned } from './context.ts';

const plans = new Map<string, string>([
  ['direct', 'the message would be delivered to'],
  ['forward', 'the message would be forwarded to'],
  ['gateway', 'the message would leave XMPP through the gateway at'],
  ['stored', 'the message would be stored for'],
]);

const standings = new Map<string, string>([
  ['fires', 'fires'],
  ['unmet', 'not met'],
  ['unreached', 'not evaluated'],
  ['foreign', 'not for this server'],
]);

const decisions = {
  keep: 'The rules do not change that.',
  stop: 'A rule stops the message.',
  refuse: 'The server refuses the rules and the message. The sender gets:',
} as const;

/** Describes what would happen to a message, for people. */
export function explanationLines(report: ExplainReport): string[] {
  return [
    `From ${report.from} to ${report.to}, ${report.at}`,
    `Without rules, ${planText(report)}.`,
    ...report.rulesets.flatMap(({ policy, rules }) => [
      policy === undefined ? 'Rules of the sender:' : `Rules of the policy ${policy}:`,
      ...aligned(
        rules.map(({ action, condition, value, standing }, index) => [
          `  ${index + 1}.`,
          action,
          `${condition}=${value}`,
          standings.get(standing) ?? standing,
        ]),
      ),
    ]),
    ...(report.rulesets.length > 0 || report.decision !== 'keep' ? [decisions[report.decision]] : []),
    ...(report.refusal === undefined ? [] : [report.refusal]),
    ...report.reports.map(({ status, to, when }) => {
      return `${to} gets a report (${status})${when === 'now' ? '' : ' afterwards'}.`;
    }),
    ...(report.nextDueAt === undefined
      ? []
      : [`While the message waits, its rules are checked again at ${report.nextDueAt}.`]),
  ];
}

function planText({ plan: { deliver, destinations, error } }: ExplainReport): string {
  if (deliver === 'none') {
    return error === undefined
      ? 'the message would be discarded silently'
      : `the message would not be delivered, and the sender would get ${error}`;
  }
  const plan = deliver === undefined ? undefined : plans.get(deliver);
  return plan === undefined ? 'another server decides' : [plan, destinations.join(', ')].join(' ').trimEnd();
}
