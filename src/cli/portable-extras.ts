import { formatDateTime, parseDateTime } from '../protocol/date-time.ts';
import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { KeptRules } from '../storage/offline.ts';
import type { PortableAccount } from '../web/control/portable-account.ts';
import { attribute, childElements, type Element, textOf, xml } from '../xml/element.ts';
import { faultIn, LossError } from './import/loss-error.ts';

/** What XEP-0227 has no place for, and an account of this server may have. */
export interface Extras extends Pick<PortableAccount, 'bcrypt' | 'forwardTo' | 'lastSeen' | 'suspension'> {
  /** The rules about time of offline messages, by the place of the message among them. */
  readonly rules: ReadonlyMap<number, KeptRules>;
}

/** The element with all that only this server knows; undefined if there is nothing. */
export function extrasElement(account: PortableAccount): Element | undefined {
  const { bcrypt, forwardTo, lastSeen, suspension, messages = [] } = account;
  const rules = messages.map(
    ({ kept }, message) => kept && xml('rules', { message, due: formatDateTime(kept.dueAtMs) }, kept.rules),
  );
  const children = [
    bcrypt === undefined ? undefined : xml('bcrypt', {}, bcrypt),
    forwardTo === undefined ? undefined : xml('forward', {}, forwardTo),
    lastSeen && xml('last-seen', { stamp: formatDateTime(lastSeen.atMs) }, lastSeen.status),
    suspension && suspensionElement(suspension),
    ...rules,
  ].filter((child) => child !== undefined);
  return children.length === 0 ? undefined : xml('account', { xmlns: ns.portableExtras }, ...children);
}

function suspensionElement({ atMs, reason, removeAtMs }: NonNullable<PortableAccount['suspension']>): Element {
  const until = removeAtMs === undefined ? undefined : formatDateTime(removeAtMs);
  return xml('suspension', { stamp: formatDateTime(atMs), 'remove-at': until }, reason);
}

/** Reads that element. Calls `lose` for each part that it cannot read. */
export function readExtras(element: Element, lose: (what: string) => void): Extras {
  const extras: { -readonly [Key in keyof Extras]: Extras[Key] } = { rules: new Map() };
  const rules = new Map<number, KeptRules>();
  for (const child of childElements(element)) {
    try {
      if (child.getName() === 'rules') rules.set(Number(attribute(child, 'message')), rulesIn(child));
      else Object.assign(extras, partIn(child));
    } catch (error) {
      lose(`<${child.getName()}>: ${faultIn(error)}`);
    }
  }
  return { ...extras, rules };
}

function partIn(child: Element): Omit<Extras, 'rules'> {
  const text = textOf(child);
  switch (child.getName()) {
    case 'bcrypt':
      if (!/^\$2[aby]\$/.test(text)) throw new LossError('not a hash');
      return { bcrypt: text };
    case 'forward':
      return { forwardTo: Jid.parse(text).toString() };
    case 'last-seen':
      return { lastSeen: { atMs: timeIn(child, 'stamp'), status: text } };
    case 'suspension': {
      const removeAtMs = attribute(child, 'remove-at') === undefined ? undefined : timeIn(child, 'remove-at');
      return { suspension: { atMs: timeIn(child, 'stamp'), reason: text || undefined, removeAtMs } };
    }
  }
  throw new LossError('unknown');
}

function rulesIn(child: Element): KeptRules {
  const rules = textOf(child);
  if (!isJson(rules)) throw new LossError('not JSON');
  return { rules, dueAtMs: timeIn(child, 'due') };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function timeIn(element: Element, name: string): number {
  const time = parseDateTime(attribute(element, name) ?? '');
  if (time === undefined) throw new LossError(`no time in '${name}'`);
  return time;
}
