import type { Jid } from '../../protocol/jid.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { attribute, childElements, type Element } from '../../xml/element.ts';
import { drop } from './actions/drop.ts';
import { isAmp, isReport } from './parse.ts';

/** The original ends of a message, which every server writes on the rules it passes on (XEP-0079 §4.1). */
export interface Ends {
  readonly sender: Jid;
  readonly recipient: Jid;
}

/** The message with its rules signed: whatever they said of its ends gives way to the truth. Its content stays as it is. */
export function signedCopy(message: Stanza, { sender, recipient }: Ends): Stanza {
  const { payload } = message;
  for (const child of payload.children) {
    if (!isAmp(child)) continue;
    const amp = payload.element(child);
    if (isReport(amp)) continue;
    Object.assign(amp.attrs, { from: sender.toString(), to: recipient.toString() });
    return message.with({ payload: payload.replace(child, amp) });
  }
  return message;
}

/**
 * The message as an account passes it on: only rules that never report go along. The others are for the address that was
 * written to, and would tell about one that the sender may not even know of.
 */
export function forwardedCopy(message: Stanza): Stanza {
  const { payload } = message;
  const child = payload.children.find(isAmp);
  if (!child) return message;
  const amp = payload.element(child);
  const silent = childElements(amp).filter((rule) => attribute(rule, 'action') === drop.name);
  if (silent.length === 0) return withoutRules(message);
  amp.children = silent;
  return message.with({ payload: payload.replace(child, amp) });
}

/** The message without anything of AMP: rules end at a room, whose occupants are not whom they were meant for. */
export function withoutRules(message: Stanza): Stanza {
  return without(message, () => true);
}

/**
 * The message of a client without reports, which only servers make (XEP-0079 §4.1). An error may keep them: there they are
 * what came with the message it answers.
 */
export function withoutForgedReports(message: Stanza): Stanza {
  return message.type === 'error' ? message : without(message, isReport);
}

function without(message: Stanza, drop: (amp: Element) => boolean): Stanza {
  const { payload } = message;
  const remaining = payload.without((child) => isAmp(child) && drop(payload.element(child)));
  return remaining === payload ? message : message.with({ payload: remaining });
}
