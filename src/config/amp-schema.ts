import { z } from 'zod';
import { faultyRule } from '../extensions/amp/rules/policy.ts';
import { type AmpOptions, ampSettings, type PolicyRuleOptions, readPolicy } from '../extensions/amp/settings.ts';
import { address, domain, flag, whole } from './fields.ts';

const actions = ['alert', 'drop', 'error', 'notify'] as const;
const conditions = ['deliver', 'expire-at', 'match-resource'] as const;
const types = ['chat', 'error', 'groupchat', 'headline', 'normal'] as const;
const unsupported = z.enum(['bounce', 'strip', 'forward']);
const longestAgeSeconds = 3_155_760_000;

const reportsTo = address.exactOptional();

const match = z
  .strictObject({
    from: z.array(address).exactOptional().describe('Senders: addresses, or domains for all their addresses.'),
    to: z.array(address).exactOptional().describe('Recipients: addresses, or domains for all their addresses.'),
    types: z.array(z.enum(types)).exactOptional().describe('Types of message. Errors never match.'),
    hasBody: z.boolean().exactOptional().describe('Whether the message has a text for people.'),
    namespace: z.string().min(1).exactOptional().describe('A namespace that an element of the message is in.'),
  })
  .prefault({})
  .describe('Which messages the policy is for. What is left out does not matter.');

const rule = z
  .strictObject({
    action: z.enum(actions).describe('What happens.'),
    condition: z.enum(conditions).exactOptional().describe('When: a condition of XEP-0079.'),
    value: z.string().min(1).exactOptional().describe('The value of the condition.'),
    maxAgeSeconds: z
      .int()
      .min(1)
      .max(longestAgeSeconds)
      .exactOptional()
      .describe('Instead of a condition: when the message has reached this age and has not been delivered.'),
  })
  .refine(isComplete, {
    error: 'needs a condition with its value, or maxAgeSeconds',
  })
  .refine(({ condition, value, maxAgeSeconds }) => maxAgeSeconds === undefined || !(condition || value), {
    error: 'has both a condition and maxAgeSeconds',
  })
  .describe('A rule.');

const policy = z
  .strictObject({
    name: z.string().min(1).describe('What the policy is called in the log.'),
    match,
    rules: z.array(rule).min(1).describe('Rules, judged in order after those of the sender, which they never weaken.'),
    reportsTo: reportsTo.describe('Who is told when a rule fires that is not `drop`. Unless set: amp.reportsTo.'),
  })
  .describe('Rules that are put on messages on the server, so that senders need not know of AMP.');

/** Advanced Message Processing. */
export const ampSchema = z
  .strictObject({
    enabled: flag(true, 'Carry out the rules that messages bring (XEP-0079). Policies too need this.'),
    presencePrivacy: z
      .enum(['strict', 'drop-only', 'open'])
      .default('strict')
      .describe(
        'Whose rules may report what became of a message, and with it whether its recipient is there. strict: of those who may see the presence of the recipient; drop-only: of nobody but the trusted; open: of everybody, for closed networks.',
      ),
    trusted: z
      .strictObject({
        jids: z.array(address).default([]).describe('Addresses.'),
        domains: z.array(domain).default([]).describe('Domains, for all their addresses.'),
      })
      .prefault({})
      .describe('Senders whose rules may report about everybody.'),
    maxRules: whole(20, 1, 1000, 'Rules in one message.'),
    disabledActions: z.array(z.enum(actions)).default([]).describe('Actions that are not offered.'),
    disabledConditions: z.array(z.enum(conditions)).default([]).describe('Conditions that are not offered.'),
    replies: z
      .strictObject({
        perSecond: whole(20, 1, 1_000_000, 'Replies a second to one account, on average.'),
        burst: whole(200, 1, 1_000_000, 'Replies at once to one account before the average holds.'),
      })
      .prefault({})
      .describe('How much the server may have to tell one sender. What is beyond is left out.'),
    remoteUnsupported: z
      .strictObject({
        policy: unsupported.default('bounce').describe('For all servers that are not named in domains.'),
        domains: z.record(domain, unsupported).prefault({}).describe('For the servers of single domains.'),
      })
      .prefault({})
      .describe(
        'What becomes of a message with rules when the server of its recipient does not know them. bounce: its sender gets an error; strip: it goes there without them; forward: it goes there with them, and they do nothing.',
      ),
    policies: z.array(policy).default([]).describe('Rules of the operator.'),
    reportsTo: reportsTo.describe('Who is told when rules of policies fire that are not `drop`. Unless set, nobody.'),
  })
  .superRefine((options, context) => {
    for (const [path, message] of faultyPolicies(options)) context.addIssue({ code: 'custom', path, message });
  })
  .prefault({})
  .describe('Advanced Message Processing (XEP-0079).');

/** Rules of policies that could never be carried out. */
function faultyPolicies(options: AmpOptions): (readonly [path: (string | number)[], message: string])[] {
  const { vocabulary } = ampSettings({ ...options, policies: [] }).limits;
  return options.policies.flatMap((written, index) => {
    // What is incomplete or out of bounds has been found already.
    const isSound = (rule: PolicyRuleOptions) => isComplete(rule) && (rule.maxAgeSeconds ?? 0) <= longestAgeSeconds;
    if (!written.rules.every(isSound)) return [];
    const read = readPolicy(written);
    const faulty = faultyRule(read, vocabulary);
    if (!faulty) return [];
    const at = read.rules.indexOf(faulty);
    return [
      [['policies', index, 'rules', at], 'has a value that its condition does not know, or a word that is disabled'],
    ];
  });
}

function isComplete({ condition, value, maxAgeSeconds }: PolicyRuleOptions): boolean {
  return (condition !== undefined && value !== undefined) || maxAgeSeconds !== undefined;
}
