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

/** The messages that a policy applies to. A missing property matches every message. */
export interface PolicyMatch {
  readonly from?: AddressList;
  readonly to?: AddressList;
  readonly types?: ReadonlySet<MessageType>;
  readonly hasBody?: boolean;
  /** A namespace that a child of the message is in. */
  readonly namespace?: string;
}

/** A rule of a policy: like a sender's, or one that fires when the message reaches an age in milliseconds. */
export type PolicyRule = WrittenRule | { readonly action: string; readonly maxAgeMs: number };

/** Rules that the operator applies to messages in addition to the sender's. */
export interface Policy {
  readonly name: string;
  readonly match: PolicyMatch;
  readonly rules: readonly PolicyRule[];
  /** The receiver of the reports. The sender gets none. */
  readonly reportTo?: Jid;
}

/** The first faulty rule of a policy, if any. */
export function faultyRule({ rules }: Policy, vocabulary: Vocabulary): PolicyRule | undefined {
  return rules.find((rule) => typeof understand(dated(rule, 0), vocabulary) === 'string');
}

/** The rulesets that policies apply to a message received at `nowMs`. They are judged after the sender's own. */
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

/** Errors never match: they are not judged by rules. */
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
