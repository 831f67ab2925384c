import type { Jid } from '../../protocol/jid.ts';
import { declinationElement, type Invitation, invitationElements } from '../../protocol/muc/invitation.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { checkAffiliations } from './administering.ts';
import { applied } from './apply.ts';
import type { Decline, Invite } from './command.ts';
import type { Announcement, Decision, RoomChange } from './decision.ts';
import { checkActor } from './rights.ts';
import { newsOfAbsent, occupantsAfter } from './standing-changes.ts';
import {
  type Affiliated,
  affiliationOf,
  type ExistingRoom,
  existing,
  type RoomState,
  rightsPolicyOf,
  standingOf,
} from './state.ts';

/** For how long an invitation can be declined. */
const invitationMs = 7 * 24 * 60 * 60 * 1000;
/** How many invitations of a room can be open. */
const maxOpen = 1000;

/** Invites users through the room (XEP-0045 §7.8.2). Those invited to a members-only room are members first. Throws StanzaError. */
export function invite(room: RoomState, { from, invitations, nowMs }: Invite): Decision {
  if (room.kind === 'absent') throw StanzaError.itemNotFound('there is no such room');
  checkActor('invite', standingOf(room, from), rightsPolicyOf(room));
  if (invitations.some(({ invitee }) => affiliationOf(room, invitee) === 'outcast'))
    throw StanzaError.notAllowed('somebody is banned from this room');
  const open = [...room.invitations].filter(([, { untilMs }]) => untilMs > nowMs);
  if (open.length + invitations.length > maxOpen)
    throw StanzaError.resourceConstraint('there are too many invitations');
  const entries = newMembers(room, invitations);
  const changes: RoomChange[] = entries.size > 0 ? [{ kind: 'affiliations', entries }] : [];
  const after = existing(changes.reduce<RoomState>(applied, room));
  checkAffiliations(after, room);
  const standings = occupantsAfter(room, after);
  const invited = invitations.map(
    ({ invitee }): RoomChange => ({ kind: 'invited', invitee, inviter: from.bare(), untilMs: nowMs + invitationMs }),
  );
  return {
    changes: [...changes, ...standings.changes, ...invited],
    announcements: [
      ...standings.toTargets,
      ...standings.toOthers,
      ...newsOfAbsent(room, after, entries),
      ...invitations.map((one) => invitationTo(after, one, from)),
    ],
  };
}

/** Tells the inviter that somebody does not come. Only an invitation can be declined: a room does not relay for strangers. */
export function decline(room: RoomState, { from, declination, nowMs }: Decline): Decision {
  const invitation = room.kind === 'existing' ? room.invitations.get(from.bare().toString()) : undefined;
  if (!invitation?.inviter.equals(declination.inviter) || invitation.untilMs <= nowMs)
    throw StanzaError.itemNotFound('there is no such invitation');
  const x = declinationElement(from.bare(), declination.reason);
  const stanza = Stanza.message({ from: room.address }, x);
  const change: RoomChange = { kind: 'invited', invitee: from.bare(), inviter: invitation.inviter, untilMs: 0 };
  return { changes: [change], announcements: [{ stanza, to: [invitation.inviter], isPersonal: true }] };
}

function newMembers(room: ExistingRoom, invitations: readonly Invitation[]): Map<string, Affiliated> {
  if (!room.config.membersOnly) return new Map();
  const strangers = invitations.filter(({ invitee }) => affiliationOf(room, invitee) === 'none');
  return new Map(strangers.map(({ invitee }) => [invitee.toString(), { affiliation: 'member' }]));
}

function invitationTo(room: ExistingRoom, invitation: Invitation, from: Jid): Announcement {
  const { config, address, occupants } = room;
  const occupant = occupants.with(from);
  const inviter = config.whois === 'moderators' && occupant ? occupant.address : from.bare();
  const password = config.passwordProtected ? config.password : undefined;
  const stanza = Stanza.message({ from: address }, ...invitationElements(invitation, { address, inviter, password }));
  return { stanza, to: [invitation.invitee], isPersonal: true };
}
