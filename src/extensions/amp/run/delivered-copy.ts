import type { Jid } from '../../../protocol/jid.ts';
import type { Stanza } from '../../../protocol/stanza.ts';
import { attribute, childElements, type Element } from '../../../xml/element.ts';
import { escapeAttribute } from '../../../xml/escape.ts';
import { type Child, contentNs } from '../../../xml/payload.ts';
import { serialize } from '../../../xml/serialize.ts';
import { ampsOf, isAmp, requestOf } from '../element/amp-element.ts';
import { drop } from '../rules/actions.ts';

/** The original sender and recipient of a message. Servers write both on the rules they pass on (XEP-0079 §4.1). */
export interface Ends {
  readonly sender: Jid;
  readonly recipient: Jid;
}

/** The message with its rules signed: 'from' and 'to' on `<amp/>` are replaced by the true ones. */
export function signedCopy(message: Stanza, ends: Ends, amps = ampsOf(message.payload)): Stanza {
  const request = requestOf(amps);
  if (!request) return message;
  const { child, amp } = request;
  if (amp.from !== undefined || amp.to !== undefined) return signedCopy(withoutEnds(message, child), ends);
  const at = child.start + amp.roomAt;
  return message.with({ payload: message.payload.spliced(at, at, signature(ends)) });
}

function signature({ sender, recipient }: Ends): string {
  return ` from="${escapeAttribute(sender.toString())}" to="${escapeAttribute(recipient.toString())}"`;
}

function withoutEnds(message: Stanza, child: Child): Stanza {
  const amp = message.payload.element(child);
  Object.assign(amp.attrs, { from: undefined, to: undefined });
  return rewritten(message, child, amp);
}

function rewritten(message: Stanza, { start, end }: Child, amp: Element): Stanza {
  return message.with({ payload: message.payload.spliced(start, end, serialize(amp, contentNs)) });
}

/**
 * The message as an account forwards it, with only the rules that never report. The others apply to the original address,
 * and would report on one that the sender may not even know.
 */
export function forwardedCopy(message: Stanza): Stanza {
  const { payload } = message;
  const child = payload.children.find(isAmp);
  if (!child) return message;
  const amp = payload.element(child);
  const silent = childElements(amp).filter((rule) => attribute(rule, 'action') === drop.name);
  if (silent.length === 0) return withoutRules(message);
  amp.children = silent;
  return rewritten(message, child, amp);
}

/** The message without AMP elements, for example for the occupants of a room: the rules were not for them. */
export function withoutRules(message: Stanza): Stanza {
  return without(message, isAmp);
}

/**
 * The message of a client without reports, which only servers may send (XEP-0079 §4.1). An error keeps them: it repeats them
 * from the message it answers.
 */
export function withoutForgedReports(message: Stanza, amps = ampsOf(message.payload)): Stanza {
  if (message.type === 'error') return message;
  const reports = amps.filter(({ amp }) => amp.isReport).map(({ child }) => child);
  return reports.length === 0 ? message : without(message, (child) => reports.includes(child));
}

function without(message: Stanza, drop: (child: Child) => boolean): Stanza {
  const { payload } = message;
  const remaining = payload.without(drop);
  return remaining === payload ? message : message.with({ payload: remaining });
}
