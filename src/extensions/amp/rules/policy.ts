import { formatDateTime } from '../../../protocol/date-time.ts';
import type { Jid } from '../../../protocol/jid.ts';
import { ns } from '../../../protocol/namespaces.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import { type MessageType, messageType } from '../../../protocol/stanza-rules.ts';
import type { WrittenRule } from '../element/written-rules.ts';
import { type AddressList, isListed } from './address-list.ts';
import { type ArmedRuleset, arm } from './armed-rules.ts';
import { understand } from './rule.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Which messages a policy is for; what is not given does not matter. */
export interface PolicyMatch {
  readonly from?: AddressList;
  readonly to?: AddressList;
  readonly types?: ReadonlySet<MessageType>;
  readonly hasBody?: boolean;
  /** A namespace that a child of the message is in. */
  readonly namespace?: string;
}

/** A rule of a policy: like a sender's, or one that fires when the message has reached an age. */
export type PolicyRule = WrittenRule | { readonly action: string; readonly maxAgeMs: number };

/** Rules that the operator puts on messages, whatever their senders say. */
export interface Policy {
  readonly name: string;
  readonly match: PolicyMatch;
  readonly rules: readonly PolicyRule[];
  /** Who is told when a rule fires. The sender never is. */
  readonly reportTo?: Jid;
}

/** The first rule of a policy that this server would not understand. */
export function faultyRule({ rules }: Policy, vocabulary: Vocabulary): PolicyRule | undefined {
  return rules.find((rule) => typeof understand(dated(rule, 0), vocabulary) === 'string');
}

/** The rulesets that policies put on a message as it is received, to be judged by after the sender's own. */
export function policyRulesets(
  policies: readonly Policy[],
  message: Stanza,
  vocabulary: Vocabulary,
  nowMs: number,
): ArmedRuleset[] {
  return policies
    .filter(({ match }) => isMatch(match, message))
    .map(({ rules, reportTo }) => {
      const understood = rules.map((rule) => understand(dated(rule, nowMs), vocabulary));
      return arm({ rules: understood.filter((rule) => typeof rule !== 'string'), perHop: false }, reportTo);
    });
}

/** Errors pass, like those of senders: they are not judged by rules. */
function isMatch({ from, to, types, hasBody, namespace }: PolicyMatch, message: Stanza): boolean {
  const type = messageType(message);
  if (type === 'error' || (types && !types.has(type))) return false;
  if ((from && !isFound(from, message.from)) || (to && !isFound(to, message.to))) return false;
  const { payload } = message;
  if (hasBody !== undefined && hasBody !== payload.has('body', ns.client)) return false;
  return namespace === undefined || payload.children.some((child) => child.ns === namespace);
}

function isFound(list: AddressList, jid: Jid | undefined): boolean {
  return jid !== undefined && isListed(list, jid);
}

function dated(rule: PolicyRule, nowMs: number): WrittenRule {
  if (!('maxAgeMs' in rule)) return rule;
  return { action: rule.action, condition: 'expire-at', value: formatDateTime(nowMs + rule.maxAgeMs) };
}
