import { Jid } from '../../protocol/jid.ts';
import type { MessageType } from '../../protocol/stanza-rules.ts';
import type { Rate } from '../../support/token-buckets.ts';
import type { AddressList } from './rules/address-list.ts';
import type { Policy, PolicyMatch, PolicyRule } from './rules/policy.ts';
import type { RulesetLimits } from './rules/rule.ts';
import { vocabulary } from './rules/vocabulary.ts';
import type { Unsupported, UnsupportedPolicy } from './run/next-hop.ts';
import type { PresencePrivacy } from './run/privacy.ts';

/** A rule of a policy as the operator writes it: with a condition and its value, or with an age. */
export interface PolicyRuleOptions {
  readonly action: string;
  readonly condition?: string | undefined;
  readonly value?: string | undefined;
  readonly maxAgeSeconds?: number | undefined;
}

/** A policy as the operator writes it. */
interface PolicyOptions {
  readonly name: string;
  readonly match: {
    readonly from?: readonly string[] | undefined;
    readonly to?: readonly string[] | undefined;
    readonly types?: readonly MessageType[] | undefined;
    readonly hasBody?: boolean | undefined;
    readonly namespace?: string | undefined;
  };
  readonly rules: readonly PolicyRuleOptions[];
  readonly reportsTo?: string | undefined;
}

/** What the operator decides about AMP: a slice of the configuration, where addresses are prepared. */
export interface AmpOptions {
  readonly enabled: boolean;
  readonly presencePrivacy: PresencePrivacy['mode'];
  readonly trusted: { readonly jids: readonly string[]; readonly domains: readonly string[] };
  readonly maxRules: number;
  readonly disabledActions: readonly string[];
  readonly disabledConditions: readonly string[];
  readonly replies: Rate;
  readonly remoteUnsupported: { readonly policy: Unsupported; readonly domains: Readonly<Record<string, Unsupported>> };
  readonly policies: readonly PolicyOptions[];
  readonly reportsTo?: string | undefined;
}

/** The same in the forms that the parts work with. A reload replaces the values, so they are read at each use. */
export interface AmpSettings {
  readonly privacy: PresencePrivacy;
  readonly limits: RulesetLimits;
  readonly policies: readonly Policy[];
  readonly unsupported: UnsupportedPolicy;
}

/** Reads what the operator has decided. */
export function ampSettings(options: AmpOptions): AmpSettings {
  const { trusted, disabledActions, disabledConditions, maxRules, policies, remoteUnsupported, reportsTo } = options;
  return {
    privacy: { mode: options.presencePrivacy, trusted: new Set([...trusted.jids, ...trusted.domains]) },
    limits: { vocabulary: vocabulary(new Set([...disabledActions, ...disabledConditions])), maxRules },
    policies: policies.map((policy) => readPolicy(policy, reportsTo)),
    unsupported: unsupportedPolicy(remoteUnsupported),
  };
}

/** What the operator has decided about servers that do not know AMP. */
function unsupportedPolicy({ policy, domains }: AmpOptions['remoteUnsupported']): UnsupportedPolicy {
  return { policy, domains: new Map(Object.entries(domains)) };
}

/** A policy in the form that is carried out. */
export function readPolicy({ name, match, rules, reportsTo }: PolicyOptions, fallback?: string): Policy {
  const reported = reportsTo ?? fallback;
  return {
    name,
    match: readMatch(match),
    rules: rules.map(readRule),
    ...(reported !== undefined && { reportTo: Jid.parse(reported) }),
  };
}

function readMatch({ from, to, types, hasBody, namespace }: PolicyOptions['match']): PolicyMatch {
  const list = (addresses: readonly string[]): AddressList => new Set(addresses);
  return {
    ...(from && { from: list(from) }),
    ...(to && { to: list(to) }),
    ...(types && { types: new Set(types) }),
    ...(hasBody !== undefined && { hasBody }),
    ...(namespace !== undefined && { namespace }),
  };
}

function readRule({ action, condition, value, maxAgeSeconds }: PolicyRuleOptions): PolicyRule {
  return maxAgeSeconds === undefined ? { action, condition, value } : { action, maxAgeMs: maxAgeSeconds * 1000 };
}
