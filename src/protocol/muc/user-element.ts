import { attribute, childNamed, type Element, nsOf, textOf, xml } from '../../xml/element.ts';
import type { Jid } from '../jid.ts';
import { jidOrNothing } from '../jid-or-nothing.ts';
import { ns } from '../namespaces.ts';
import { StanzaError } from '../stanza-error.ts';
import type { Affiliation, Role } from './vocabulary.ts';

/** The most bytes of a reason. */
const maxReasonBytes = 512;
/** The most bytes of a password. */
export const maxPasswordBytes = 64;

/** The status codes that the server sends (XEP-0045 §15.6). */
export const status = {
  /** Everybody can see the full JID. */
  nonAnonymous: 100,
  configChanged: 104,
  /** The presence is the client's own. */
  self: 110,
  logged: 170,
  notLogged: 171,
  nowNonAnonymous: 172,
  nowSemiAnonymous: 173,
  created: 201,
  /** The room has changed the nickname. */
  nickGiven: 210,
  banned: 301,
  nickChanged: 303,
  kicked: 307,
  affiliationLost: 321,
  nowMembersOnly: 322,
  shutdown: 332,
  /** The room cannot reach the client. */
  unreachable: 333,
} as const;

/** A status code of XEP-0045. */
export type StatusCode = (typeof status)[keyof typeof status];

/** What a room says about one user (XEP-0045 §7.2.2). */
export interface MucItem {
  readonly affiliation: Affiliation;
  readonly role: Role;
  /** The full JID, for those who may see it. */
  readonly jid?: Jid | undefined;
  /** The new or reserved nickname. */
  readonly nick?: string | undefined;
  /** The nickname of the occupant who has changed something. */
  readonly actor?: string | undefined;
  readonly reason?: string | undefined;
}

/** Where a destroyed room has gone, and why (XEP-0045 §10.9). */
export interface Destruction {
  readonly alternative?: Jid | undefined;
  readonly password?: string | undefined;
  readonly reason?: string | undefined;
}

/** The content of the element with which a room speaks about its users. */
interface MucUser {
  readonly item?: MucItem;
  readonly statuses?: readonly StatusCode[];
  readonly destruction?: Destruction | undefined;
}

/** `<x xmlns='http://jabber.org/protocol/muc#user'/>`. */
export function mucUserElement({ item, statuses = [], destruction }: MucUser): Element {
  return xml(
    'x',
    { xmlns: ns.mucUser },
    item && itemElement(item),
    destruction && destroyElement(destruction),
    ...statuses.map((code) => xml('status', { code })),
  );
}

/**
 * Reads what an owner says about the end of a room (XEP-0045 §10.9). An alternative that is no JID counts as absent. Throws
 * `not-acceptable` if a text is too long.
 */
export function readDestruction(destroy: Element): Destruction {
  const namespace = nsOf(destroy);
  return {
    alternative: jidOrNothing(attribute(destroy, 'jid'))?.bare(),
    password: shortText(destroy, 'password', namespace, maxPasswordBytes),
    reason: reasonIn(destroy, namespace),
  };
}

/** The reason that a request gives. Throws `not-acceptable` if it is too long. */
export function reasonIn(request: Element, namespace: string): string | undefined {
  return shortText(request, 'reason', namespace, maxReasonBytes);
}

function shortText(parent: Element, name: string, namespace: string, maxBytes: number): string | undefined {
  const child = childNamed(parent, name, namespace);
  const text = child && textOf(child);
  if (text !== undefined && Buffer.byteLength(text) > maxBytes)
    throw StanzaError.notAcceptable(`the ${name} is too long`);
  return text;
}

function itemElement({ affiliation, role, jid, nick, actor, reason }: MucItem): Element {
  return xml(
    'item',
    { affiliation, role, jid: jid?.toString(), nick },
    actor === undefined ? undefined : xml('actor', { nick: actor }),
    reason === undefined ? undefined : xml('reason', {}, reason),
  );
}

function destroyElement({ alternative, password, reason }: Destruction): Element {
  return xml(
    'destroy',
    { jid: alternative?.toString() },
    reason === undefined ? undefined : xml('reason', {}, reason),
    password === undefined ? undefined : xml('password', {}, password),
  );
}
