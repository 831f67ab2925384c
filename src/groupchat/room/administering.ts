import type { Jid } from '../../protocol/jid.ts';
import { type AdminChange, type AdminList, adminListElement, type ListedUser } from '../../protocol/muc/admin-items.ts';
import { nickKey } from '../../protocol/muc/nick-key.ts';
import type { OccupantRole } from '../../protocol/muc/room-config.ts';
import { status } from '../../protocol/muc/user-element.ts';
import { type Affiliation, isAffiliatedAs, type Role } from '../../protocol/muc/vocabulary.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { answer } from './answer.ts';
import { applied, withAffiliations } from './apply.ts';
import type { Administer, ReadLists } from './command.ts';
import type { Decision, RoomChange } from './decision.ts';
import { type Occupant, primaryOf } from './occupants.ts';
import { checkActor, checkRight, type RoomAction, type RoomStanding } from './rights.ts';
import { newsOfAbsent, occupantsAfter, type StandingChanges, withoutOccupants, withRoles } from './standing-changes.ts';
import {
  type Affiliated,
  affiliationOf,
  type ExistingRoom,
  existing,
  type RoomState,
  rightsPolicyOf,
  standingOf,
} from './state.ts';

/** The most affiliations of a room. */
const maxAffiliations = 10_000;

type RoleChange = AdminChange & { readonly kind: 'role' };
type AffiliationChange = AdminChange & { readonly kind: 'affiliation' };

/** Lists of users or occupants (XEP-0045 §8.5, §9.2, §9.5, §9.8, §10.5, §10.8). Throws StanzaError. */
export function readLists(state: RoomState, { from, request, lists }: ReadLists): Decision {
  const room = known(state);
  for (const list of lists) checkActor(actionToRead(list), standingOf(room, from), rightsPolicyOf(room));
  const users = lists.flatMap((list) =>
    list.kind === 'role' ? occupantsWith(room, list.role) : affiliatedAs(room, list.affiliation),
  );
  return { changes: [], announcements: [answer(request, adminListElement(users))] };
}

/** Changes roles and affiliations: all of a request, or none (XEP-0045 §8, §9, §10). Throws StanzaError. */
export function administer(state: RoomState, { from, request, items, nowMs }: Administer): Decision {
  const room = known(state);
  const actor = { jid: from, standing: standingOf(room, from), nick: room.occupants.with(from)?.nick };
  const entries = newAffiliations(room, items.filter(isAboutAffiliation), actor);
  const affiliated: RoomChange[] = entries.size > 0 ? [{ kind: 'affiliations', entries: affiliationsIn(entries) }] : [];
  const after = existing(affiliated.reduce<RoomState>(applied, room));
  const causeFor = (user: Jid) => ({ actor: actor.nick, reason: entries.get(user.toString())?.reason });
  const fallen = occupantsAfter(room, after, causeFor);
  const between = existing(fallen.changes.reduce<RoomState>(applied, after));
  const roles = newRoles(between, items.filter(isAboutRole), actor, nowMs);
  const then = existing(roles.changes.reduce<RoomState>(applied, between));
  return {
    changes: [...affiliated, ...fallen.changes, ...roles.changes],
    announcements: [
      ...fallen.toTargets,
      ...roles.toTargets,
      answer(request),
      ...fallen.toOthers,
      ...roles.toOthers,
      ...newsOfAbsent(room, then, affiliationsIn(entries)),
    ],
  };
}

/** The occupant or outsider who changes something. */
interface Actor {
  readonly jid: Jid;
  readonly standing: RoomStanding;
  readonly nick: string | undefined;
}

function isAboutRole(item: AdminChange): item is RoleChange {
  return item.kind === 'role';
}

function isAboutAffiliation(item: AdminChange): item is AffiliationChange {
  return item.kind === 'affiliation';
}

function known(room: RoomState): ExistingRoom {
  if (room.kind === 'absent') throw StanzaError.itemNotFound('there is no such room');
  return room;
}

// --- affiliations

/** A changed affiliation; undefined is `none`. */
interface NewAffiliation {
  readonly affiliated: Affiliated | undefined;
  readonly reason: string | undefined;
}

function affiliationsIn(entries: ReadonlyMap<string, NewAffiliation>): ReadonlyMap<string, Affiliated | undefined> {
  return new Map([...entries].map(([jid, { affiliated }]) => [jid, affiliated]));
}

/** The affiliations that change, by bare JID or domain. Rights are those from before the request. */
function newAffiliations(
  room: ExistingRoom,
  items: readonly AffiliationChange[],
  actor: Actor,
): Map<string, NewAffiliation> {
  const entries = new Map<string, NewAffiliation>();
  for (const item of items) {
    const jid = item.jid ?? occupantNamed(room, item.nick ?? '').user;
    checkAffiliation(room, jid, item.affiliation, actor);
    const before = room.affiliations.get(jid.toString());
    const affiliated = affiliatedBy(item, before);
    if (!isSame(before, affiliated)) entries.set(jid.toString(), { affiliated, reason: item.reason });
  }
  if (entries.size > 0) checkAffiliations(withAffiliations(room, affiliationsIn(entries)), room);
  return entries;
}

function checkAffiliation(room: ExistingRoom, jid: Jid, affiliation: Affiliation, actor: Actor): void {
  const role = highestRole(room.occupants.of(jid));
  const before = affiliationOf(room, jid);
  const target = { role, affiliation: before, isActor: jid.equals(actor.jid.bare()) };
  checkRight(actionToBecome(affiliation, before), actor.standing, target, rightsPolicyOf(room));
}

function actionToBecome(affiliation: Affiliation, before: Affiliation): RoomAction {
  if (affiliation === 'outcast') return 'ban';
  const isAdministration = isAffiliatedAs(affiliation, 'admin') || isAffiliatedAs(before, 'admin');
  return isAdministration ? 'change administration' : 'change membership';
}

/** Outcasts lose their reserved nickname; others keep it unless they get another one. */
function affiliatedBy(item: AffiliationChange, before: Affiliated | undefined): Affiliated | undefined {
  const { affiliation, reason } = item;
  if (affiliation === 'none') return undefined;
  if (affiliation === 'outcast') return { affiliation, reason };
  return { affiliation, nick: (item.jid && item.nick) ?? before?.nick, reason };
}

function isSame(one: Affiliated | undefined, other: Affiliated | undefined): boolean {
  return one?.affiliation === other?.affiliation && one?.nick === other?.nick;
}

/** Throws unless the room has an owner, not too many affiliations, and each reserved nickname once. */
export function checkAffiliations(after: ExistingRoom, before: ExistingRoom): void {
  const all = [...after.affiliations.values()];
  if (!all.some(({ affiliation }) => affiliation === 'owner')) throw StanzaError.conflict('a room needs an owner');
  if (all.length > Math.max(maxAffiliations, before.affiliations.size))
    throw StanzaError.resourceConstraint('the room has too many affiliations');
  const nicks = all.flatMap(({ nick }) => (nick === undefined ? [] : [nickKey(nick)]));
  if (new Set(nicks).size < nicks.length) throw StanzaError.conflict('somebody else has reserved this nickname');
}

// --- roles

function newRoles(room: ExistingRoom, items: readonly RoleChange[], actor: Actor, nowMs: number): StandingChanges {
  const kicked: Occupant[] = [];
  const roles = new Map<Occupant, OccupantRole>();
  const reasons = new Map<string, string | undefined>();
  for (const { nick, role, reason } of items) {
    const occupant = occupantNamed(room, nick);
    const { user } = occupant;
    const target = { role: occupant.role, affiliation: affiliationOf(room, user) };
    const isActor = user.equals(actor.jid.bare());
    checkRight(actionToGive(role), actor.standing, { ...target, isActor }, rightsPolicyOf(room));
    reasons.set(user.toString(), reason);
    if (role === 'none') kicked.push(occupant);
    else if (role !== occupant.role) roles.set(occupant, role);
  }
  const causeFor = (user: Jid) => ({ actor: actor.nick, reason: reasons.get(user.toString()) });
  const given = withRoles(room, roles, causeFor, nowMs);
  const between = existing(given.changes.reduce<RoomState>(applied, room));
  const gone = withoutOccupants(between, kicked, status.kicked, causeFor);
  return {
    changes: [...given.changes, ...gone.changes],
    toTargets: [...given.toTargets, ...gone.toTargets],
    toOthers: [...given.toOthers, ...gone.toOthers],
  };
}

function actionToGive(role: Role): RoomAction {
  if (role === 'none') return 'kick';
  return role === 'moderator' ? 'make moderator' : 'change voice';
}

function occupantNamed({ occupants }: ExistingRoom, nick: string): Occupant {
  const occupant = occupants.named(nickKey(nick));
  if (!occupant) throw StanzaError.itemNotFound(`nobody is called '${nick}'`);
  return occupant;
}

function highestRole(occupants: readonly Occupant[]): Role {
  if (occupants.some(({ role }) => role === 'moderator')) return 'moderator';
  return occupants[0]?.role ?? 'none';
}

// --- lists

function actionToRead(list: AdminList): RoomAction {
  if (list.kind === 'role') return 'list roles';
  return list.affiliation === 'outcast' ? 'list outcasts' : 'list affiliations';
}

function affiliatedAs({ affiliations }: ExistingRoom, wanted: Affiliation): ListedUser[] {
  return [...affiliations]
    .filter(([, { affiliation }]) => affiliation === wanted)
    .map(([jid, { affiliation, nick, reason }]) => ({ jid, affiliation, nick, reason }));
}

function occupantsWith(room: ExistingRoom, wanted: Role): ListedUser[] {
  return [...room.occupants.all]
    .filter(({ role }) => role === wanted)
    .map((occupant) => ({
      affiliation: affiliationOf(room, occupant.user),
      role: occupant.role,
      jid: primaryOf(occupant).jid,
      nick: occupant.nick,
    }));
}
