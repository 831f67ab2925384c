import { type Affiliation, affiliations, hasRoleOf, isAffiliatedAs, type Role } from '../../protocol/muc/vocabulary.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';

/** The role and the affiliation of a user, on which rights depend. */
export interface RoomStanding {
  readonly role: Role;
  readonly affiliation: Affiliation;
}

/** The options of a room on which rights depend. */
export interface RightsPolicy {
  readonly membersOnly: boolean;
  readonly whois: 'moderators' | 'anyone';
  readonly changeSubject: boolean;
  readonly allowInvites: boolean;
  /** The roles whose occupants may read the lists of members, admins and owners, in addition to those who always may. */
  readonly listReaders: readonly Role[];
}

/** An action in a room, or on another user. */
export type RoomAction =
  /** Make an occupant a visitor or a participant (XEP-0045 §8.3, §8.4, §9.7). */
  | 'change voice'
  /** XEP-0045 §8.2. */
  | 'kick'
  /** XEP-0045 §9.6. */
  | 'make moderator'
  /** XEP-0045 §9.1. */
  | 'ban'
  /** Change an affiliation below admin, or end a ban (XEP-0045 §9.2, §9.3, §9.4). */
  | 'change membership'
  /** Make somebody an admin or owner, or end that (XEP-0045 §10.3 to §10.6). */
  | 'change administration'
  /** XEP-0045 §9.2. */
  | 'list outcasts'
  /** Lists of occupants by their role (XEP-0045 §8.5, §9.8). */
  | 'list roles'
  /** Lists of members, admins and owners (XEP-0045 §9.5, §10.5, §10.8). */
  | 'list affiliations'
  /** Read and change the configuration, or destroy the room (XEP-0045 §10.2, §10.9). */
  | 'configure'
  | 'speak'
  | 'change subject'
  /** XEP-0045 §7.8.2. */
  | 'invite'
  /** Retract the message of another occupant (XEP-0425). */
  | 'moderate message';

type ActorRule = (actor: RoomStanding, policy: RightsPolicy) => boolean;
type TargetRule = (target: RoomStanding, actor: RoomStanding) => boolean;

/** The rules for one action: for its actor, and for its target. All rules of a list must hold. */
interface Right {
  readonly actor: ActorRule;
  readonly target: readonly TargetRule[];
  /** Nobody may do it to themselves. */
  readonly notToOneself?: true;
}

const isModerator: ActorRule = ({ role }) => role === 'moderator';
const isAdmin: ActorRule = ({ affiliation }) => isAffiliatedAs(affiliation, 'admin');
const isOwner: ActorRule = ({ affiliation }) => affiliation === 'owner';
const isParticipant: ActorRule = ({ role }) => hasRoleOf(role, 'participant');

/** Admins always, and of those to whom JIDs are shown: members, because OMEMO needs it, and the roles of the configuration. */
const readsLists: ActorRule = ({ affiliation, role }, { whois, listReaders }) => {
  if (isAffiliatedAs(affiliation, 'admin')) return true;
  if (whois === 'anyone') return isAffiliatedAs(affiliation, 'member') || listReaders.includes(role);
  return role === 'moderator' && listReaders.includes(role);
};

const mayInvite: ActorRule = ({ affiliation, role }, { membersOnly, allowInvites }) => {
  if (!membersOnly) return hasRoleOf(role, 'participant');
  return isAffiliatedAs(affiliation, allowInvites ? 'member' : 'admin');
};

const mayChangeSubject: ActorRule = ({ role }, { changeSubject }) =>
  hasRoleOf(role, changeSubject ? 'participant' : 'moderator');

const isInRoom: TargetRule = ({ role }) => role !== 'none';
const isBelowAdmin: TargetRule = ({ affiliation }) => !isAffiliatedAs(affiliation, 'admin');
const isNotAbove: TargetRule = (target, actor) => isAffiliatedAs(actor.affiliation, target.affiliation);
const isBelowOrActorOwns: TargetRule = (target, actor) => actor.affiliation === 'owner' || rank(target) < rank(actor);
/** Only an admin changes the role of another moderator. */
const isNoModeratorForOthers: TargetRule = ({ role }, { affiliation }) =>
  role !== 'moderator' || isAffiliatedAs(affiliation, 'admin');
const isNoModeratorOfEqualRank: TargetRule = (target, actor) =>
  target.role !== 'moderator' || (isNoModeratorForOthers(target, actor) && isBelowOrActorOwns(target, actor));

/** All rights in a room (XEP-0045 §5.1.1, §5.2.1). */
const rights: Readonly<Record<RoomAction, Right>> = {
  'change voice': { actor: isModerator, target: [isInRoom, isBelowAdmin, isNotAbove, isNoModeratorForOthers] },
  kick: { actor: isModerator, target: [isInRoom, isNotAbove, isNoModeratorOfEqualRank], notToOneself: true },
  'make moderator': { actor: isAdmin, target: [isInRoom] },
  ban: { actor: isAdmin, target: [isBelowOrActorOwns], notToOneself: true },
  'change membership': { actor: isAdmin, target: [isBelowAdmin] },
  'change administration': { actor: isOwner, target: [] },
  'list outcasts': { actor: isAdmin, target: [] },
  'list roles': { actor: isModerator, target: [] },
  'list affiliations': { actor: readsLists, target: [] },
  configure: { actor: isOwner, target: [] },
  speak: { actor: isParticipant, target: [] },
  'change subject': { actor: mayChangeSubject, target: [] },
  invite: { actor: mayInvite, target: [] },
  'moderate message': { actor: isModerator, target: [isNotAbove] },
};

/** Throws `forbidden` unless somebody may do something at all. */
export function checkActor(action: RoomAction, actor: RoomStanding, policy: RightsPolicy): void {
  if (!rights[action].actor(actor, policy)) throw StanzaError.forbidden(`you may not ${action} in this room`);
}

/**
 * Throws unless `actor` may do something to `target`: `forbidden` if it may not do it to anybody, `conflict` if the target is the actor
 * itself, and `not-allowed` if the target is not one of those to whom it may do it.
 */
export function checkRight(
  action: RoomAction,
  actor: RoomStanding,
  target: RoomStanding & { readonly isActor: boolean },
  policy: RightsPolicy,
): void {
  checkActor(action, actor, policy);
  const { target: rules, notToOneself } = rights[action];
  if (notToOneself && target.isActor) throw StanzaError.conflict(`you cannot ${action} yourself`);
  if (!rules.every((rule) => rule(target, actor))) throw StanzaError.notAllowed(`you may not ${action} here`);
}

/** Whether somebody may do something at all. */
export function mayAct(action: RoomAction, actor: RoomStanding, policy: RightsPolicy): boolean {
  return rights[action].actor(actor, policy);
}

/** The role with which a user enters a room (XEP-0045 §5.1.2). */
export function roleOnEntry(affiliation: Affiliation, moderated: boolean): Role {
  switch (affiliation) {
    case 'owner':
    case 'admin':
      return 'moderator';
    case 'member':
      return 'participant';
    case 'none':
      return moderated ? 'visitor' : 'participant';
    case 'outcast':
      return 'none';
  }
}

function rank({ affiliation }: RoomStanding): number {
  return affiliations.indexOf(affiliation);
}
