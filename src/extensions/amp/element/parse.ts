import { ns } from '../../../protocol/namespaces.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import { ampsOf, requestOf } from './amp-element.ts';
import { Refusal } from './refusal.ts';
import type { WrittenRuleset } from './written-rules.ts';

/** The values of xs:boolean (XEP-0079 §12.1). A ruleset without the attribute applies at the edge servers only. */
const perHopValues = new Map<string | undefined, boolean>([
  [undefined, false],
  ['false', false],
  ['0', false],
  ['true', true],
  ['1', true],
]);

/** Reads the rules of a message: undefined if it has no request, a refusal if the request is malformed. */
export function readRequest(message: Stanza, amps = ampsOf(message.payload)): WrittenRuleset | Refusal | undefined {
  // An error repeats the rules of the message it answers.
  if (message.type === 'error' || message.payload.has('error', ns.client)) return undefined;
  const first = requestOf(amps)?.amp;
  if (!first) return undefined;
  const { rules, from, to } = first;
  const perHop = perHopValues.get(first.perHop);
  const requests = amps.filter(({ amp }) => !amp.isReport);
  if (requests.length > 1) return Refusal.malformed(requests.flatMap(({ amp }) => amp.rules));
  if (!message.id || rules.length === 0 || perHop === undefined) return Refusal.malformed(rules);
  return { rules, perHop, from, to };
}
