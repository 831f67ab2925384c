import { ns } from '../../protocol/namespaces.ts';
import { childOf, el, elementsOf, type XmlElement } from './element.ts';

/** A rule of Advanced Message Processing (XEP-0079 §4.2). */
export interface Rule {
  readonly condition: string;
  readonly value: string;
  readonly action: string;
}

/** What a user can choose for a rule, in the words of the page. */
export const conditions = {
  deliver: ['direct', 'stored', 'none', 'forward', 'gateway'],
  'match-resource': ['exact', 'other', 'any'],
  'expire-at': [],
} as const;

/** The actions, each with what it does. */
export const actions = {
  notify: 'send it, and tell me',
  alert: 'do not send it, and tell me',
  error: 'do not send it, and return an error',
  drop: 'discard it silently',
} as const;

/** The conditions in words, with `they` for the recipient. */
const conditionWords: Readonly<Record<string, string>> = {
  'deliver direct': 'it can be delivered at once',
  'deliver stored': 'it would be stored for later',
  'deliver none': 'it cannot be delivered',
  'deliver forward': 'it would be forwarded to another address',
  'deliver gateway': 'it would leave through a gateway',
  'match-resource exact': 'it reaches exactly this address',
  'match-resource other': 'it would reach another device',
  'match-resource any': 'it reaches any device',
};

/** A condition in words. */
export function conditionText({ condition, value }: Pick<Rule, 'condition' | 'value'>, locale?: string): string {
  if (condition === 'expire-at') return `it would arrive after ${timeText(value, locale)}`;
  return conditionWords[`${condition} ${value}`] ?? `${condition} is ${value}`;
}

/** A rule in words. */
export function ruleText(rule: Rule, locale?: string): string {
  const action = Object.hasOwn(actions, rule.action) ? actions[rule.action as keyof typeof actions] : rule.action;
  return `If ${conditionText(rule, locale)}: ${action}`;
}

/** The element that carries rules in a message. */
export function rulesElement(rules: readonly Rule[]): XmlElement | undefined {
  if (rules.length === 0) return undefined;
  return el(ns.amp, 'amp', {}, ...rules.map((rule) => el(ns.amp, 'rule', { ...rule })));
}

/** The rules in a message that was sent, which is no report of a server. */
export function rulesOf(message: XmlElement): Rule[] {
  const amp = childOf(message, 'amp', ns.amp);
  return amp?.attributes['status'] === undefined ? readRules(amp) : [];
}

/** The rules in an element that lists some. */
export function readRules(element: XmlElement | undefined): Rule[] {
  return elementsOf(element)
    .filter(({ name }) => name === 'rule')
    .map(({ attributes: { condition = '', value = '', action = '' } }) => ({ condition, value, action }));
}

/** The next moment at which a clock shows this time, `18:00`, as a rule needs it. */
export function nextMoment(time: string, nowMs: number): string {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  const moment = new Date(nowMs);
  moment.setHours(hours, minutes, 0, 0);
  if (moment.getTime() <= nowMs) moment.setDate(moment.getDate() + 1);
  return moment.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** A time of a rule as the user's clock shows it, with the date if it is not today. */
export function timeText(value: string, locale?: string, nowMs = Date.now()): string {
  const time = new Date(value);
  if (Number.isNaN(time.getTime())) return value;
  const isToday = time.toDateString() === new Date(nowMs).toDateString();
  const style = isToday ? {} : ({ day: 'numeric', month: 'short' } as const);
  return time.toLocaleString(locale, { hour: '2-digit', minute: '2-digit', ...style });
}
