import { attribute, childElements, type Element, nsOf, xml } from '../../xml/element.ts';
import type { Jid } from '../jid.ts';
import { jidOrNothing } from '../jid-or-nothing.ts';
import { ns } from '../namespaces.ts';
import { StanzaError } from '../stanza-error.ts';
import { reasonIn } from './user-element.ts';
import { type Affiliation, affiliationNamed, type Role, roleNamed } from './vocabulary.ts';

/** A change of the role of an occupant, or of the affiliation of a user (XEP-0045 §9). */
export type AdminChange =
  | { readonly kind: 'role'; readonly nick: string; readonly role: Role; readonly reason: string | undefined }
  | {
      readonly kind: 'affiliation';
      /** A bare JID or a domain; absent if the nickname says who is meant. */
      readonly jid: Jid | undefined;
      /** The nickname of an occupant, or the one to reserve. */
      readonly nick: string | undefined;
      readonly affiliation: Affiliation;
      readonly reason: string | undefined;
    };

/** A list that somebody asks for: of the users with an affiliation, or of the occupants with a role. */
export type AdminList =
  | { readonly kind: 'role'; readonly role: Role }
  | { readonly kind: 'affiliation'; readonly affiliation: Affiliation };

/** One user in a list (XEP-0045 §9.5). */
export interface ListedUser {
  readonly affiliation: Affiliation;
  /** Only of occupants. */
  readonly role?: Role;
  readonly jid: Jid | string;
  readonly nick?: string | undefined;
  readonly reason?: string | undefined;
}

/** Reads the changes of a request. Throws StanzaError if one of them makes no sense. */
export function readAdminChanges(query: Element): AdminChange[] {
  return itemsIn(query).map(readChange);
}

/** Reads which lists a request asks for. Throws StanzaError. */
export function readAdminLists(query: Element): AdminList[] {
  return itemsIn(query).map((item) => {
    const { affiliation, role } = readStanding(item);
    return affiliation ? { kind: 'affiliation', affiliation } : { kind: 'role', role };
  });
}

/** The answer to a request for lists. */
export function adminListElement(users: Iterable<ListedUser>): Element {
  const items = Array.from(users, ({ affiliation, role, jid, nick, reason }) =>
    xml(
      'item',
      { affiliation, role, jid: jid.toString(), nick },
      reason === undefined ? undefined : xml('reason', {}, reason),
    ),
  );
  return xml('query', { xmlns: ns.mucAdmin }, ...items);
}

function itemsIn(query: Element): Element[] {
  const items = childElements(query).filter((child) => child.getName() === 'item' && nsOf(child) === ns.mucAdmin);
  if (items.length === 0) throw StanzaError.badRequest('a request needs an <item/>');
  return items;
}

function readChange(item: Element): AdminChange {
  const { affiliation, role } = readStanding(item);
  const [nick, jidText] = [attribute(item, 'nick'), attribute(item, 'jid')];
  const reason = reasonIn(item, ns.mucAdmin);
  if (role) {
    if (nick === undefined) throw StanzaError.badRequest("an item with a role needs a 'nick'");
    return { kind: 'role', nick, role, reason };
  }
  const jid = jidOrNothing(jidText)?.bare();
  if (jidText !== undefined && !jid) throw StanzaError.jidMalformed(`'${jidText}' is not a JID`);
  if (!jid && nick === undefined) throw StanzaError.badRequest("an item needs a 'jid' or a 'nick'");
  return { kind: 'affiliation', jid, nick, affiliation, reason };
}

/** Either an affiliation or a role. */
function readStanding(
  item: Element,
):
  | { readonly affiliation: Affiliation; readonly role?: never }
  | { readonly affiliation?: never; readonly role: Role } {
  const [affiliation, role] = [affiliationNamed(attribute(item, 'affiliation')), roleNamed(attribute(item, 'role'))];
  if (affiliation && attribute(item, 'role') === undefined) return { affiliation };
  if (role && attribute(item, 'affiliation') === undefined) return { role };
  throw StanzaError.badRequest('an item has either an affiliation or a role');
}
