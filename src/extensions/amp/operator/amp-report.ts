import { ns } from '../../../protocol/namespaces.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import { attribute, childElements, type Element } from '../../../xml/element.ts';
import type { RuleWords, SendOutcome, SendReport } from './message-operations.ts';

const byDelivery = new Map<string, SendOutcome>([
  ['direct', 'delivered'],
  ['forward', 'forwarded'],
  ['gateway', 'gateway'],
  ['stored', 'stored'],
]);

/** Reads the outcome of a message from a report or an error about it. Undefined for any other stanza. */
export function readReport(answer: Stanza): Pick<SendReport, 'outcome' | 'rule' | 'error'> | undefined {
  const { payload, from } = answer;
  const child = payload.find('amp', ns.amp);
  const amp = child && payload.element(child);
  // Only servers send reports. A stanza from a user may look the same (XEP-0079 §4.1).
  const isReport = from !== undefined && from.local === '' && from.isBare;
  const status = amp && isReport ? attribute(amp, 'status') : undefined;
  const error = answer.type === 'error' ? { error: conditionOf(answer) } : {};
  if (amp && status !== undefined) {
    const rule = ruleIn(amp);
    return { outcome: outcomeOf(status, rule), rule, ...error };
  }
  return answer.type === 'error' ? { outcome: 'refused', ...error } : undefined;
}

function outcomeOf(status: string, { condition, value }: RuleWords): SendOutcome {
  if (condition === 'expire-at') return 'expired';
  return (status === 'notify' && byDelivery.get(value)) || 'refused';
}

function ruleIn(amp: Element): RuleWords {
  const [rule] = childElements(amp);
  const word = (name: string) => (rule && attribute(rule, name)) ?? '';
  return { action: word('action'), condition: word('condition'), value: word('value') };
}

function conditionOf({ payload }: Stanza): string | undefined {
  const child = payload.find('error', ns.client);
  const [condition] = child ? childElements(payload.element(child)) : [];
  return condition?.getName();
}
