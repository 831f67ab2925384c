import type { ExplainReport } from '../extensions/amp/desk/message-operations.ts';
import { aligned } from './context.ts';

const plans = new Map<string | undefined, string>([
  ['direct', 'It would go to'],
  ['forward', 'It would be forwarded to'],
  ['gateway', 'It would leave XMPP through the gateway at'],
  ['none', 'It would not be delivered'],
  ['stored', 'It would be stored for'],
  [undefined, 'Another server decides'],
]);

const standings = new Map<string, string>([
  ['fires', 'fires'],
  ['unmet', 'not met'],
  ['unreached', 'not looked at'],
  ['foreign', 'not for this server'],
]);

const decisions = {
  keep: 'That happens.',
  stop: 'A rule stops the message: nothing of that happens.',
  refuse: 'The rules are refused, and the message with them. The sender gets:',
} as const;

/** What would happen to a message, for people. */
export function explanationLines(report: ExplainReport): string[] {
  return [
    `From ${report.from} to ${report.to}, ${report.at}`,
    planLine(report),
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
    decisions[report.decision],
    ...(report.refusal === undefined ? [] : [report.refusal]),
    ...report.reports.map(({ status, to, when }) => {
      return `${to} is told (${status})${when === 'now' ? '' : ', once it has happened'}.`;
    }),
    ...(report.nextDueAt === undefined ? [] : [`If it waits, it is looked at again at ${report.nextDueAt}.`]),
  ];
}

function planLine({ plan: { deliver, destinations, error } }: ExplainReport): string {
  const where = deliver === 'none' ? (error === undefined ? ', in silence' : `; the sender gets ${error}`) : '';
  const to = deliver === 'none' || destinations.length === 0 ? '' : ` ${destinations.join(', ')}`;
  return `Without rules: ${plans.get(deliver)}${to}${where}.`;
}
