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
    hasBody: z.boolean().exactOptional().describe('Whether the message has a body.'),
    namespace: z.string().min(1).exactOptional().describe('Namespace of an element in the message.'),
  })
  .prefault({})
  .describe('The messages the policy applies to. Omitted criteria match everything.');

const rule = z
  .strictObject({
    action: z.enum(actions).describe('What to do.'),
    condition: z.enum(conditions).exactOptional().describe('When to do it: a condition of XEP-0079.'),
    value: z.string().min(1).exactOptional().describe('The value of the condition.'),
    maxAgeSeconds: z
      .int()
      .min(1)
      .max(longestAgeSeconds)
      .exactOptional()
      .describe('Instead of a condition: the age in seconds at which the rule applies to an undelivered message.'),
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
    name: z.string().min(1).describe('Name of the policy in the log.'),
    match,
    rules: z.array(rule).min(1).describe("Rules, judged in order after the sender's rules. They never weaken those."),
    reportsTo: reportsTo.describe('Address to notify when a rule other than `drop` fires. Defaults to amp.reportsTo.'),
  })
  .describe('Rules that the server adds to messages, so that senders need no AMP support.');

/** Advanced Message Processing. */
export const ampSchema = z
  .strictObject({
    enabled: flag(true, 'Apply the rules in messages (XEP-0079). Policies need this, too.'),
    presencePrivacy: z
      .enum(['strict', 'drop-only', 'open'])
      .default('strict')
      .describe(
        "Senders whose rules may report the outcome of a message, which shows whether the recipient is online. strict: senders who may see the recipient's presence; drop-only: trusted senders only; open: everybody, for closed networks.",
      ),
    trusted: z
      .strictObject({
        jids: z.array(address).default([]).describe('Trusted addresses.'),
        domains: z.array(domain).default([]).describe('Trusted domains, with all their addresses.'),
      })
      .prefault({})
      .describe('Senders whose rules may report on every recipient.'),
    maxRules: whole(20, 1, 1000, 'Maximum rules in one message.'),
    disabledActions: z.array(z.enum(actions)).default([]).describe('Actions the server does not offer.'),
    disabledConditions: z.array(z.enum(conditions)).default([]).describe('Conditions the server does not offer.'),
    replies: z
      .strictObject({
        perSecond: whole(20, 1, 1_000_000, 'Replies per second to one account, on average.'),
        burst: whole(200, 1, 1_000_000, 'Replies to one account in a burst, above the average.'),
      })
      .prefault({})
      .describe('Limits on the replies to one sender. Replies beyond them are dropped.'),
    remoteUnsupported: z
      .strictObject({
        policy: unsupported.default('bounce').describe('For servers that `domains` does not list.'),
        domains: z.record(domain, unsupported).prefault({}).describe('For single domains.'),
      })
      .prefault({})
      .describe(
        "What to do with a message with rules if the recipient's server does not support AMP. bounce: return an error to the sender; strip: send it without the rules; forward: send it with the rules, which then have no effect.",
      ),
    policies: z.array(policy).default([]).describe("The operator's rules."),
    reportsTo: reportsTo.describe('Address to notify when a policy rule other than `drop` fires. By default, nobody.'),
  })
  .superRefine((options, context) => {
    for (const [path, message] of faultyPolicies(options)) context.addIssue({ code: 'custom', path, message });
  })
  .prefault({})
  .describe('Advanced Message Processing (XEP-0079).');

/** The paths and faults of policy rules that can never apply. */
function faultyPolicies(options: AmpOptions): (readonly [path: (string | number)[], message: string])[] {
  const { vocabulary } = ampSettings({ ...options, policies: [] }).limits;
  return options.policies.flatMap((written, index) => {
    // The schema has already reported incomplete and out-of-range rules.
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
