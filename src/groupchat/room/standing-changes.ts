import { Jid } from '../../protocol/jid.ts';
import type { OccupantRole } from '../../protocol/muc/room-config.ts';
import { mucUserElement, type StatusCode, status } from '../../protocol/muc/user-element.ts';
import { type Affiliation, hasRoleOf, isAffiliatedAs } from '../../protocol/muc/vocabulary.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { applied } from './apply.ts';
import type { Announcement, RoomChange } from './decision.ts';
import type { Occupant } from './occupants.ts';
import {
  type Circumstances,
  clientsOf,
  type Departure,
  isShown,
  presenceForOthers,
  seesJids,
  toOthers,
  toSelf,
  unavailableToOthers,
  unavailableToSelf,
} from './presence.ts';
import { roleOnEntry } from './rights.ts';
import { type Affiliated, affiliationOf, type ExistingRoom, existing, type RoomState } from './state.ts';

/** Changes of occupants, and their announcements: first those to the occupants themselves, then those to all others. */
export interface StandingChanges {
  readonly changes: readonly RoomChange[];
  readonly toTargets: readonly Announcement[];
  readonly toOthers: readonly Announcement[];
}

/** A change for one occupant: it gets a role, or it has to leave with this status. */
type Fate =
  | { readonly kind: 'stays'; readonly role: OccupantRole }
  | { readonly kind: 'leaves'; readonly code: StatusCode };

/** For how long a room remembers a role that somebody has given. */
const roleMemoryMs = 24 * 60 * 60 * 1000;

/** The nickname of the occupant that has changed a standing, and the reason. */
type Cause = Pick<Circumstances, 'actor' | 'reason'>;

/**
 * What changed affiliations, or another configuration, mean for the occupants (XEP-0045 §5.1.2, §5.2.2, §9, §10.2). `after` has
 * them already, and the occupants of `before`.
 */
export function occupantsAfter(
  before: ExistingRoom,
  after: ExistingRoom,
  causeFor: (user: Jid) => Cause = () => ({}),
): StandingChanges {
  const concerned = new Map<Occupant, Fate>();
  for (const occupant of after.occupants.all) {
    const fate = fateOf(occupant, before, after);
    if (fate) concerned.set(occupant, fate);
  }
  return carriedOut(before, after, concerned, causeFor);
}

/** Gives occupants other roles. They have them again if they come back soon. */
export function withRoles(
  room: ExistingRoom,
  roles: ReadonlyMap<Occupant, OccupantRole>,
  causeFor: (user: Jid) => Cause,
  nowMs: number,
): StandingChanges {
  const fates = [...roles].map(([occupant, role]) => [occupant, { kind: 'stays', role }] as const);
  const { changes, ...told } = carriedOut(room, room, new Map(fates), causeFor);
  const remembered = [...roles].map(
    ([{ user }, role]): RoomChange => ({ kind: 'role-given', user, role, untilMs: nowMs + roleMemoryMs }),
  );
  return { changes: [...changes, ...remembered], ...told };
}

/** Removes occupants with all their clients. */
export function withoutOccupants(
  room: ExistingRoom,
  removed: Iterable<Occupant>,
  code: StatusCode,
  causeFor: (user: Jid) => Cause,
): StandingChanges {
  const fates = [...removed].map((occupant) => [occupant, { kind: 'leaves', code }] as const);
  return carriedOut(room, room, new Map(fates), causeFor);
}

/** Tells those who may see JIDs of changed affiliations of users who were not in the room (XEP-0045 §9.1 to §9.4). */
export function newsOfAbsent(
  before: ExistingRoom,
  room: ExistingRoom,
  entries: ReadonlyMap<string, Affiliated | undefined>,
): Announcement[] {
  const to = [...room.occupants.all].filter((occupant) => seesJids(room, occupant)).flatMap(clientsOf);
  if (to.length === 0) return [];
  return [...entries]
    .map(([text, affiliated]) => [Jid.parse(text), affiliated?.affiliation ?? 'none'] as const)
    .filter(([jid]) => before.occupants.of(jid).length === 0)
    .map(([jid, affiliation]) => {
      const x = mucUserElement({ item: { affiliation, role: 'none', jid } });
      return { stanza: Stanza.message({ from: room.address }, x), to };
    });
}

/** Undefined if nothing changes for the occupant, or for those who see it. */
function fateOf(occupant: Occupant, before: ExistingRoom, after: ExistingRoom): Fate | undefined {
  const { user, role } = occupant;
  const [was, is] = [affiliationOf(before, user), affiliationOf(after, user)];
  if (is === 'outcast') return { kind: 'leaves', code: status.banned };
  if (after.config.membersOnly && !isAffiliatedAs(is, 'member')) {
    const code = before.config.membersOnly ? status.affiliationLost : status.nowMembersOnly;
    return { kind: 'leaves', code };
  }
  if (was !== is) return { kind: 'stays', role: roleAfter(role, was, is, after.config.moderated) };
  return isShown(before, occupant) === isShown(after, occupant) ? undefined : { kind: 'stays', role };
}

/** A user whose affiliation rises has at least the role of a newcomer; one whose affiliation falls has exactly that role. */
function roleAfter(role: OccupantRole, was: Affiliation, is: Affiliation, moderated: boolean): OccupantRole {
  const fresh = roleOnEntry(is, moderated);
  if (fresh === 'none') throw new Error('an outcast has no role');
  const rises = isAffiliatedAs(is, was);
  return rises && hasRoleOf(role, fresh) ? role : fresh;
}

function carriedOut(
  before: ExistingRoom,
  after: ExistingRoom,
  fates: ReadonlyMap<Occupant, Fate>,
  causeFor: (user: Jid) => Cause,
): StandingChanges {
  const changes = [...fates].map(([occupant, fate]): RoomChange => {
    const stays = fate.kind === 'stays' ? { ...occupant, role: fate.role } : undefined;
    return { kind: 'occupant', nickKey: occupant.nickKey, occupant: stays };
  });
  const room = existing(changes.reduce<RoomState>(applied, after));
  const toTargets: Announcement[] = [];
  const others: Announcement[] = [];
  for (const [occupant, fate] of fates) {
    const cause = causeFor(occupant.user);
    if (fate.kind === 'leaves') {
      const departure: Departure = { ...cause, statuses: [fate.code] };
      toTargets.push(unavailableToSelf(room, occupant, departure));
      others.push(...unavailableToOthers(room, occupant, departure));
      continue;
    }
    const changed = { ...occupant, role: fate.role };
    toTargets.push(...listAgain(before, occupant, room, changed), toSelf(room, changed, cause));
    others.push(...otherView(before, occupant, room, changed, cause));
  }
  return { changes, toTargets, toOthers: others };
}

/** A role that others do not see shows as going, and back as coming. */
function otherView(
  before: ExistingRoom,
  was: Occupant,
  room: ExistingRoom,
  is: Occupant,
  cause: Cause,
): Announcement[] {
  if (isShown(room, is)) return toOthers(room, is, cause);
  return isShown(before, was) ? unavailableToOthers({ ...room, config: before.config }, was, cause) : [];
}

/** An occupant that begins or ceases to see full JIDs gets the presence of everybody again. */
function listAgain(before: ExistingRoom, was: Occupant, room: ExistingRoom, is: Occupant): Announcement[] {
  const jid = seesJids(room, is);
  if (jid === seesJids(before, was)) return [];
  const to = clientsOf(is);
  return [...room.occupants.all]
    .filter((other) => other.nickKey !== is.nickKey && isShown(room, other))
    .map((other) => ({ stanza: presenceForOthers(room, other, jid), to }));
}
