import type { RuleWords, SendOutcome, SendReport } from '../../extensions/amp/operator/message-operations.ts';
import { type Cli, jsonOption } from '../cli.ts';
import { locateServer } from '../configuration.ts';
import { type Context, printJson, printLines } from '../context.ts';
import { durationMs } from '../duration.ts';
import { CommandEnd, type ExitCode, exitCodes } from '../exit-codes.ts';
import { operations } from '../operations.ts';
import { ruleOption, rulesOption } from '../rule-option.ts';
import { withRunningServer } from '../with-operations.ts';

const stopping = ['drop', 'alert', 'error'] as const;

const matches = ['any', 'exact', 'other'].flatMap((value) => stopping.map((action) => `${value}=${action}`));

const ruleHelp = 'Another rule, such as action=alert,condition=deliver,value=stored; repeat for more, in order';
const exitCodeHelp =
  'Exit codes: 0 handed to a client, forwarded, or handed to a gateway; 10 stored; 11 expired; 12 stopped by a rule or an ' +
  'error; 13 outcome unknown when the wait ended. Codes 1 to 5 are those of every command; the message may not have been sent.';

const exitCodeOf: Readonly<Record<SendOutcome, ExitCode>> = {
  delivered: exitCodes.ok,
  forwarded: exitCodes.ok,
  gateway: exitCodes.ok,
  stored: exitCodes.stored,
  expired: exitCodes.expired,
  refused: exitCodes.refused,
  unknown: exitCodes.unknown,
};

const sentences: Readonly<Record<SendOutcome, string>> = {
  delivered: 'was handed to a client',
  forwarded: 'was forwarded',
  gateway: 'was handed to a gateway',
  stored: 'was stored for later delivery',
  expired: 'expired',
  refused: 'was not delivered',
  unknown: 'was sent; its outcome is not known yet',
};

/** Adds `send`. */
export function sendCommand(cli: Cli, context: Context): void {
  cli.command(
    'send',
    'Send a message from the server or one of its users, and report the outcome',
    (options) => deliveryOptions(messageOptions(jsonOption(rulesOption(options, ruleHelp)))).epilogue(exitCodeHelp),
    async ({ json, config: named, wait, expireIn, ...options }) => {
      const location = await locateServer(context, named);
      const { to, from, type, subject, body, onExpiry } = options;
      const rules = [...written(options), ...(options.rule ?? []).map(ruleOption)];
      const expireInMs = expireIn === undefined ? undefined : durationMs('expire-in', expireIn);
      const waitMs = durationMs('wait', wait);
      const request = { to, from, type, subject, body, rules, expireInMs, onExpiry, waitMs };
      const report = await withRunningServer(location, (server) => server.call(operations.sendMessage, request));
      if (json) printJson(context, report);
      else printLines(context, [sentence(report)]);
      const code = exitCodeOf[report.outcome];
      if (code !== exitCodes.ok) throw new CommandEnd(code);
    },
  );
}

function messageOptions<T>(options: Parameters<typeof jsonOption<T>>[0]) {
  return options
    .option('to', { type: 'string', demandOption: true, requiresArg: true, describe: 'Recipient' })
    .option('from', {
      type: 'string',
      requiresArg: true,
      describe: 'Sender: a domain served here, one of its users, or an address of a component [the first domain]',
    })
    .option('type', {
      choices: ['chat', 'groupchat', 'headline', 'normal'],
      describe: 'Type of the message [chat]',
    })
    .option('subject', { type: 'string', requiresArg: true, describe: 'Subject of the message' })
    .option('body', { type: 'string', demandOption: true, requiresArg: true, describe: 'Text of the message' })
    .option('wait', {
      type: 'string',
      default: '30s',
      requiresArg: true,
      describe: 'How long to wait for the outcome',
    });
}

function deliveryOptions<T>(options: ReturnType<typeof messageOptions<T>>) {
  return options
    .option('if-direct', { choices: stopping, describe: 'What to do if the message would be delivered at once' })
    .option('if-stored', { choices: [...stopping, 'notify'], describe: 'What to do if the message would be stored' })
    .option('match-resource', {
      choices: matches,
      describe: 'What to do if it would reach the addressed resource (exact), a different one (other) or either (any)',
    })
    .option('expire-in', { type: 'string', requiresArg: true, describe: 'Time until the message expires, such as 10m' })
    .option('on-expiry', {
      choices: [...stopping, 'notify'],
      implies: 'expire-in',
      describe: 'What to do when it expires [drop]',
    });
}

interface DeliveryOptions {
  readonly ifDirect: string | undefined;
  readonly ifStored: string | undefined;
  readonly matchResource: string | undefined;
}

function written({ ifDirect, ifStored, matchResource }: DeliveryOptions): RuleWords[] {
  const [value, action] = matchResource?.split('=') ?? [];
  return [
    ...(value === undefined ? [] : [{ action: action ?? '', condition: 'match-resource', value }]),
    ...(ifDirect === undefined ? [] : [{ action: ifDirect, condition: 'deliver', value: 'direct' }]),
    ...(ifStored === undefined ? [] : [{ action: ifStored, condition: 'deliver', value: 'stored' }]),
  ];
}

function sentence({ to, outcome, error, rule }: SendReport): string {
  const why =
    rule && rule.action !== 'notify' ? `: ${rule.condition} is ${rule.value}` : error === undefined ? '' : `: ${error}`;
  return `The message to ${to} ${sentences[outcome]}${why}.`;
}
