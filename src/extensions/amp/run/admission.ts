import type { Jid } from '../../../protocol/jid.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import { ampsOf, type PlacedAmp } from '../element/amp-element.ts';
import { legacyExpiry } from '../element/legacy-expiry.ts';
import { readRequest } from '../element/parse.ts';
import { Refusal } from '../element/refusal.ts';
import { refusalReply } from '../element/replies.ts';
import { believedEnds, isAnswerable } from '../element/report-address.ts';
import { type ArmedRuleset, arm } from '../rules/armed-rules.ts';
import type { Rule, Ruleset } from '../rules/rule.ts';
import { type RulesetLimits, understand, validate } from '../rules/rule.ts';
import { type Ends, signedCopy, withoutForgedReports } from './delivered-copy.ts';
import { refuseReports } from './privacy.ts';

/** How a message arrived, and what depends on it. */
export interface Arrival {
  /** Whether a client of this server sent it. If not, it is from another server, a component or this server. */
  readonly fromClient: boolean;
  /** The verified sender. */
  readonly sender: Jid;
  readonly recipient: Jid;
  /** The domain that answers. */
  readonly by: Jid;
  /** Whether the sender may get reports about the recipient. Called only if a rule would report. */
  readonly mayReport: () => boolean;
  readonly nowMs: number;
}

/** The message to continue with, and the sender's rules for it, if any. */
export interface Admitted {
  readonly kind: 'admitted';
  readonly message: Stanza;
  readonly ruleset: ArmedRuleset | undefined;
  readonly ends: Ends;
}

/** The result of checking a message before it is planned. */
type Admission = { readonly kind: 'refused'; readonly reply: Stanza } | Admitted;

/**
 * Admits a message: reads its rules, checks them all, and signs them (XEP-0079 §2.2, first step). The state of the
 * recipient plays no part. A message that cannot be answered cannot be refused either: its faulty rules are ignored.
 */
export function admit(message: Stanza, arrival: Arrival, limits: RulesetLimits): Admission {
  const { fromClient, sender, recipient, by } = arrival;
  const sent = ampsOf(message.payload);
  const cleaned = fromClient ? withoutForgedReports(message, sent) : message;
  const amps = cleaned === message ? sent : ampsOf(cleaned.payload);
  const asked = readAccepted(cleaned, amps, arrival, limits);
  const answerable = isAnswerable(cleaned, sender, amps);
  if (asked instanceof Refusal && answerable) {
    return { kind: 'refused', reply: refusalReply(asked, { by, to: sender, id: cleaned.id }) };
  }
  const accepted = asked instanceof Refusal ? undefined : asked;
  const older = expiryRule(cleaned, arrival, limits);
  const own = accepted?.rules ?? [];
  const rules = older ? [...own, older] : own;
  const ruleset = { rules, perHop: accepted?.perHop ?? false };
  return {
    kind: 'admitted',
    message: accepted ? signedCopy(cleaned, accepted.ends, amps) : cleaned,
    ends: accepted?.ends ?? { sender, recipient },
    ruleset: rules.length > 0 ? arm(ruleset, answerable ? 'sender' : undefined) : undefined,
  };
}

interface Accepted extends Ruleset {
  readonly ends: Ends;
}

function readAccepted(
  message: Stanza,
  amps: readonly PlacedAmp[],
  arrival: Arrival,
  limits: RulesetLimits,
): Accepted | Refusal | undefined {
  const request = readRequest(message, amps);
  if (!request || request instanceof Refusal) return request;
  const ruleset = validate(request, limits);
  if (ruleset instanceof Refusal) return ruleset;
  const { fromClient, sender, recipient, mayReport } = arrival;
  const ends = fromClient ? { sender, recipient } : believedEnds(request, { sender, recipient });
  return refuseReports(ruleset.rules, mayReport) ?? { rules: ruleset.rules, perHop: ruleset.perHop, ends };
}

/** The rule for `jabber:x:expire`, which is tested after the rules of the message. */
function expiryRule(message: Stanza, { nowMs }: Arrival, { vocabulary }: RulesetLimits): Rule | undefined {
  const written = legacyExpiry(message, nowMs);
  const rule = written && understand(written, vocabulary);
  return typeof rule === 'string' ? undefined : rule;
}
