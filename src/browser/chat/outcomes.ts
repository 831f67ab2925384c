import { ns } from '../../protocol/namespaces.ts';
import { childOf, elementsOf, type XmlElement } from './element.ts';
import { type Rule, readRules, timeText } from './rules.ts';
import type { Outcome } from './state.ts';
import { conditionOf } from './stream.ts';

/** What a report of a server says of a message (XEP-0079 §3.4), or undefined for a message that is no report. */
export function reportOf(message: XmlElement, name: string): Outcome | undefined {
  const amp = childOf(message, 'amp', ns.amp);
  const status = amp?.attributes['status'];
  const [rule] = readRules(amp);
  if (status === undefined || !rule) return undefined;
  return status === 'notify' ? { text: happened(rule, name), bad: false } : { text: prevented(rule, name), bad: true };
}

/** What an error says of the message that it answers. */
export function failureText(message: XmlElement, name: string): string {
  const error = childOf(message, 'error', ns.client);
  const [failed] = readRules(childOf(error, 'failed-rules', ns.ampErrors));
  if (failed) return prevented(failed, name);
  const refused = elementsOf(error).find((child) => child.ns === ns.amp);
  if (refused) return refusals[refused.name] ?? 'Not sent: the server does not accept the rules.';
  return `Not delivered: ${reasonOf(error)}.`;
}

/** What an error says of the retraction that it answers (XEP-0424), for a message that is still here, or gone here already. */
export function removalFailureText(answer: XmlElement, name: string, isGone: boolean): string {
  const reason = reasonOf(childOf(answer, 'error', ns.client));
  return isGone ? `Removed here, but ${name} may still have it: ${reason}.` : `Not removed: ${reason}.`;
}

function reasonOf(error: XmlElement | undefined): string {
  const condition = conditionOf(error, ns.stanzaErrors) ?? 'unknown error';
  return Object.hasOwn(reasons, condition) ? (reasons[condition] ?? condition) : condition;
}

const reasons: Readonly<Record<string, string>> = {
  'service-unavailable': 'this address does not take the message',
  'item-not-found': 'this address does not exist',
  'remote-server-not-found': 'there is no such server',
  'remote-server-timeout': 'the other server did not answer',
  'recipient-unavailable': 'the recipient is not online',
  forbidden: 'you may not write here',
  'not-acceptable': 'the server does not accept this message',
  'not-allowed': 'this is not allowed',
  'policy-violation': 'you send too much, too fast',
  'resource-constraint': 'the server has no room for it now',
};

const refusals: Readonly<Record<string, string>> = {
  'invalid-rules': 'Not sent: rules that report back need a contact who lets you see whether they are online.',
  'unsupported-actions': 'Not sent: the server does not know the action of a rule.',
  'unsupported-conditions': 'Not sent: the server does not know the condition of a rule.',
};

/** A rule has fired and the message went its way. */
function happened(rule: Rule, name: string): string {
  switch (`${rule.condition} ${rule.value}`) {
    case 'deliver direct':
      return `Delivered to ${name}.`;
    case 'deliver stored':
      return `Stored until ${name} is online.`;
    case 'deliver forward':
      return 'Forwarded to another address.';
    case 'deliver gateway':
      return 'Sent to another network through a gateway.';
    case 'deliver none':
      return 'It could not be delivered.';
    case 'match-resource exact':
      return 'It reached exactly this address.';
    case 'match-resource other':
      return 'It reached another device.';
    case 'match-resource any':
      return 'It reached a device.';
    default:
      return rule.condition === 'expire-at'
        ? `It was not delivered before ${timeText(rule.value)}.`
        : `The rule on ${rule.condition} applied.`;
  }
}

/** A rule has fired and the message was discarded. */
function prevented(rule: Rule, name: string): string {
  switch (`${rule.condition} ${rule.value}`) {
    case 'deliver direct':
      return `Not sent: ${name} is online, and your rule stops the message then.`;
    case 'deliver stored':
      return `Not sent: ${name} is not online.`;
    case 'deliver forward':
      return 'Not sent: it would have been forwarded.';
    case 'deliver gateway':
      return 'Not sent: it would have left for another network through a gateway.';
    case 'deliver none':
      return 'Not sent: it could not be delivered.';
    case 'match-resource exact':
      return 'Not sent: it would have reached exactly this address.';
    case 'match-resource other':
      return 'Not sent: it would have reached another device.';
    case 'match-resource any':
      return 'Not sent: it would have reached a device.';
    default:
      return rule.condition === 'expire-at'
        ? `Expired: it could not be delivered before ${timeText(rule.value)}.`
        : `Not sent: the rule on ${rule.condition} applied.`;
  }
}
