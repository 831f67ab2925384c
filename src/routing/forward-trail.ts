import type { Jid } from '../protocol/jid.ts';
import { jidOrNothing } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { attribute, xml } from '../xml/element.ts';
import type { Child } from '../xml/payload.ts';

/** What is looked at of a trail; no message has a longer one. */
const longestTrail = 20;

/**
 * A message that was forwarded as another server gets it. It says which addresses it has come through, so that none of them, on
 * whatever server, forwards it again. Where its sender is no user of ours it comes from the address that forwards it: only the
 * sender's own server may send in its name (RFC 6120 §8.1.2.2). Who has written it is said as XEP-0033 §4.1 has it.
 */
export function forwardedAbroad(
  message: Stanza,
  forwardedBy: readonly Jid[],
  isHosted: (domain: string) => boolean,
): Stanza {
  const last = forwardedBy.at(-1);
  if (!last) return message;
  const trail = forwardedBy.map((jid) => xml('by', { xmlns: ns.forwardTrail, jid: jid.bare().toString() }));
  const { from } = message;
  if (!from || isHosted(from.domain)) return message.with({ payload: message.payload.with(...trail) });
  const author = xml('address', { type: 'ofrom', jid: from.toString() });
  const payload = message.payload.with(...trail, xml('addresses', { xmlns: ns.addresses }, author));
  return message.with({ from: last.bare(), payload });
}

/** The addresses that a message from another server has come through, and the message without what is said of them. */
export function readTrail(message: Stanza): { readonly message: Stanza; readonly forwardedBy: readonly Jid[] } {
  const { payload } = message;
  const marks = payload.children.filter(isMark);
  if (marks.length === 0) return { message, forwardedBy: [] };
  const written = marks.slice(0, longestTrail).map((mark) => attribute(payload.element(mark), 'jid'));
  return {
    message: message.with({ payload: payload.without(isMark) }),
    forwardedBy: written.flatMap((text) => jidOrNothing(text) ?? []),
  };
}

function isMark({ name, ns: childNs }: Child): boolean {
  return name === 'by' && childNs === ns.forwardTrail;
}
