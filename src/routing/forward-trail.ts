import type { Jid } from '../protocol/jid.ts';
import { jidOrNothing } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { attribute, xml } from '../xml/element.ts';
import type { Child } from '../xml/payload.ts';

/** The most addresses that are read from a trail. */
const longestTrail = 20;

/**
 * A forwarded message in the form that another server gets. It lists the addresses it came through, so that none of them, on any
 * server, forwards it again. If its sender is not hosted here, 'from' is the address that forwards it, because only the sender's own
 * server may send in its name (RFC 6120 §8.1.2.2). The author is then in an XEP-0033 address of type `ofrom` (§4.1).
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

/** Reads the addresses that a message from another server came through, and removes them from the message. */
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
