import { attribute, childElements, childNamed, type Element, nsOf, xml } from '../../xml/element.ts';
import type { Jid } from '../jid.ts';
import { jidOrNothing } from '../jid-or-nothing.ts';
import { ns } from '../namespaces.ts';
import { StanzaError } from '../stanza-error.ts';
import { reasonIn } from './user-element.ts';

/** An invitation to one user (XEP-0045 §7.8.2). */
export interface Invitation {
  readonly invitee: Jid;
  readonly reason: string | undefined;
  /** The thread of the conversation that goes on in the room; '' if it has none. */
  readonly thread: string | undefined;
}

/** What somebody answers to an invitation. */
export interface Declination {
  readonly inviter: Jid;
  readonly reason: string | undefined;
}

/** The most users that one message invites. */
const maxInvitees = 10;

/** Reads the invitations in `<x xmlns='http://jabber.org/protocol/muc#user'/>`. Throws StanzaError. */
export function readInvitations(x: Element): Invitation[] {
  const invites = childElements(x).filter((child) => child.getName() === 'invite' && nsOf(child) === ns.mucUser);
  if (invites.length > maxInvitees) throw StanzaError.notAcceptable(`one message invites ${maxInvitees} users at most`);
  return invites.map((invite) => {
    const more = childNamed(invite, 'continue', ns.mucUser);
    return {
      invitee: addressIn(invite).bare(),
      reason: reasonIn(invite, ns.mucUser),
      thread: more && (attribute(more, 'thread') ?? ''),
    };
  });
}

/** Reads a refusal to come; undefined if the element has none. Throws StanzaError. */
export function readDeclination(x: Element): Declination | undefined {
  const decline = childNamed(x, 'decline', ns.mucUser);
  return decline && { inviter: addressIn(decline).bare(), reason: reasonIn(decline, ns.mucUser) };
}

/** What an invitee gets: the invitation, and the same for clients that know only XEP-0249. */
export function invitationElements(
  { reason, thread }: Invitation,
  room: { readonly address: Jid; readonly inviter: Jid; readonly password: string | undefined },
): Element[] {
  const { address, inviter, password } = room;
  const invite = xml(
    'invite',
    { from: inviter.toString() },
    reason === undefined ? undefined : xml('reason', {}, reason),
    thread === undefined ? undefined : xml('continue', { thread: thread || undefined }),
  );
  const isContinued = thread === undefined ? undefined : true;
  const secret = password === undefined ? undefined : xml('password', {}, password);
  return [
    xml('x', { xmlns: ns.mucUser }, invite, secret),
    xml('x', {
      xmlns: ns.directInvitation,
      jid: address.toString(),
      password,
      reason,
      continue: isContinued,
      thread: thread || undefined,
    }),
  ];
}

/** What an inviter gets from somebody who does not come. */
export function declinationElement(invitee: Jid, reason: string | undefined): Element {
  const decline = xml(
    'decline',
    { from: invitee.toString() },
    reason === undefined ? undefined : xml('reason', {}, reason),
  );
  return xml('x', { xmlns: ns.mucUser }, decline);
}

function addressIn(element: Element): Jid {
  const jid = jidOrNothing(attribute(element, 'to'));
  if (!jid) throw StanzaError.jidMalformed("'to' is not a JID");
  return jid;
}
