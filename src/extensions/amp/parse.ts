import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { attribute, childElements, type Element, nsOf } from '../../xml/element.ts';
import type { Child } from '../../xml/payload.ts';
import { Refusal } from './refusal.ts';
import type { WrittenRule, WrittenRuleset } from './written-rules.ts';

/** The values of xs:boolean (XEP-0079 §12.1); a ruleset without the attribute is for the edge servers only. */
const perHopValues = new Map<string | undefined, boolean>([
  [undefined, false],
  ['false', false],
  ['0', false],
  ['true', true],
  ['1', true],
]);

/** Whether a child of a stanza is an `<amp/>`. */
export function isAmp({ name, ns: childNs }: Child): boolean {
  return childNs === ns.amp && name === 'amp';
}

/** Whether an `<amp/>` reports what has become of a message; one that asks for something has no status (XEP-0079 §4.1). */
export function isReport(amp: Element): boolean {
  return attribute(amp, 'status') !== undefined;
}

/** The rules that a message asks to be handled by; undefined if it asks for nothing, a refusal if nobody can tell for what. */
export function readRequest(message: Stanza): WrittenRuleset | Refusal | undefined {
  const { payload } = message;
  // An error that comes back brings the rules of the message it answers.
  if (message.type === 'error' || payload.has('error', ns.client)) return undefined;
  const requests = payload.children
    .filter(isAmp)
    .map((child) => payload.element(child))
    .filter((amp) => !isReport(amp));
  const [amp] = requests;
  if (!amp) return undefined;
  const rules = requests.flatMap(readRules);
  const perHop = perHopValues.get(attribute(amp, 'per-hop'));
  if (!message.id || requests.length > 1 || rules.length === 0 || perHop === undefined) return Refusal.malformed(rules);
  return { rules, perHop, from: attribute(amp, 'from'), to: attribute(amp, 'to') };
}

function readRules(amp: Element): WrittenRule[] {
  return childElements(amp)
    .filter((child) => child.getName() === 'rule' && nsOf(child) === ns.amp)
    .map((rule) => ({
      action: attribute(rule, 'action'),
      condition: attribute(rule, 'condition'),
      value: attribute(rule, 'value'),
    }));
}
