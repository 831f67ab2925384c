import { Jid } from '../../protocol/jid.ts';
import { defaultRoomConfig } from '../../protocol/muc/room-config.ts';
import { type StatusCode, status } from '../../protocol/muc/user-element.ts';
import { type Affiliation, isAffiliatedAs } from '../../protocol/muc/vocabulary.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { applied } from './apply.ts';
import { avatarFor } from './avatar.ts';
import type { Enter } from './command.ts';
import type { Announcement, Decision, RoomChange } from './decision.ts';
import { historyFor, subjectFor } from './history.ts';
import { changeNick } from './nick-change.ts';
import { checkedNickKey, checkNickIsFree } from './nicknames.ts';
import { occupantIdOf } from './occupant-id.ts';
import type { Occupant } from './occupants.ts';
import { isShown, presenceForOthers, seesJids, toOthers, toSelf } from './presence.ts';
import { roleOnEntry } from './rights.ts';
import { sessionWith, showsNews, withSession } from './sessions.ts';
import { type AbsentRoom, affiliationOf, type ExistingRoom, existing, type RoomState } from './state.ts';

/** Admins may enter a full room, as long as it is not fuller than this (XEP-0045 §7.2.9). */
const placesForAdmins = 1.05;

/** Enters a room, creates it, or brings a client that is in it up to date (XEP-0045 §7.2). Throws StanzaError. */
export function enter(room: RoomState, wanted: Enter): Decision {
  const present = room.kind === 'existing' ? room.occupants.with(wanted.from) : undefined;
  // A client that is in the room enters the room itself under the nickname that it has.
  const command = present && wanted.nick === '' ? { ...wanted, nick: present.nick } : wanted;
  const key = checkedNickKey(command.nick);
  if (room.kind === 'absent') return create(room, command, key);
  if (present?.nickKey === key) return takePlace(room, command, key);
  if (!present) {
    checkEntry(room, command, key);
    return takePlace(room, command, key);
  }
  const changed = changeNick(room, present, command);
  const after = existing(changed.changes.reduce<RoomState>(applied, room));
  const occupant = occupantAt(after, key);
  return { ...changed, announcements: [...changed.announcements, ...welcome(after, occupant, command)] };
}

/** XEP-0045 §10.1. */
function create(room: AbsentRoom, command: Enter, key: string): Decision {
  const { from, nowMs, creation } = command;
  const { tombstone } = room;
  const owner = from.bare();
  if (tombstone && tombstone.untilMs > nowMs && !tombstone.owners.includes(owner.toString()))
    throw StanzaError.gone(tombstone.reason, { uri: tombstone.alternative && joinUri(tombstone.alternative) });
  if (creation.refusal) throw creation.refusal;
  const created: RoomChange = {
    kind: 'created',
    owner,
    lockedFor: from,
    config: defaultRoomConfig,
    occupantKey: creation.occupantKey,
    atMs: nowMs,
  };
  const { changes, announcements } = takePlace(existing(applied(room, created)), command, key, [status.created]);
  return { changes: [created, ...changes], announcements };
}

/** What a client opens to enter another room (XEP-0045 §17.2, RFC 5122). */
function joinUri(room: string): string {
  const { local, domain } = Jid.parse(room);
  return `xmpp:${encodeURIComponent(local)}@${encodeURI(domain)}?join`;
}

/** The first failure answers, so that somebody who is banned learns nothing about passwords or nicknames (XEP-0045 §7.2). */
function checkEntry(room: ExistingRoom, { from, password }: Enter, key: string): void {
  const { config, lockedFor } = room;
  const affiliation = affiliationOf(room, from);
  if (lockedFor && !lockedFor.bare().equals(from.bare())) throw StanzaError.itemNotFound('the room is not ready yet');
  if (affiliation === 'outcast') throw StanzaError.forbidden('you are banned from this room');
  if (config.membersOnly && !isAffiliatedAs(affiliation, 'member'))
    throw StanzaError.registrationRequired('only members may enter');
  if (config.passwordProtected && password !== config.password)
    throw StanzaError.notAuthorized('the password is wrong');
  checkNickIsFree(room, from, key);
  if (!room.occupants.named(key) && !hasPlace(room, affiliation))
    throw StanzaError.serviceUnavailable('the room is full');
}

function hasPlace({ config, occupants }: ExistingRoom, affiliation: Affiliation): boolean {
  const most = isAffiliatedAs(affiliation, 'admin') ? config.maxOccupants * placesForAdmins : config.maxOccupants;
  return occupants.size < most;
}

/** Takes a place under a nickname: alone, or beside other clients of the same user (XEP-0045 §7.2.8). */
function takePlace(room: ExistingRoom, command: Enter, key: string, ownStatuses: readonly StatusCode[] = []): Decision {
  const { from, presence } = command;
  const session = sessionWith(presence, from, room.address);
  const before = room.occupants.named(key);
  const occupant = withSession(before ?? newOccupant(room, command, key), session);
  const entered: RoomChange = { kind: 'occupant', nickKey: key, occupant };
  const after = existing(applied(room, entered));
  const isNews = !before || showsNews(before, occupant);
  const news = isNews ? toOthers(after, occupant) : [];
  const others = occupant.sessions.filter(({ jid }) => !jid.equals(from)).map(({ jid }) => jid);
  const siblings = isNews && others.length > 0 ? [toSelf(after, occupant, {}, others)] : [];
  const announcements = [...welcome(after, occupant, command, ownStatuses), ...siblings, ...news];
  return { changes: [entered], announcements };
}

function newOccupant(room: ExistingRoom, { from, nick, nowMs }: Enter, key: string): Occupant {
  const given = room.givenRoles.get(from.bare().toString());
  const isGiven = given !== undefined && given.untilMs > nowMs;
  const role = isGiven ? given.role : roleOnEntry(affiliationOf(room, from), room.config.moderated);
  if (role === 'none') throw new Error('an outcast does not enter');
  return {
    nick,
    nickKey: key,
    address: room.address.withResource(nick),
    user: from.bare(),
    role,
    occupantId: occupantIdOf(from, room.occupantKey),
    sessions: [],
  };
}

/** Everything that a newcomer gets, in its order: the others, itself, the discussion, the subject (XEP-0045 §7.1). */
function welcome(
  room: ExistingRoom,
  occupant: Occupant,
  { from, nick, presence: { id }, history, nowMs }: Enter,
  ownStatuses: readonly StatusCode[] = [],
): Announcement[] {
  const { config } = room;
  const jid = seesJids(room, occupant);
  const others = [...room.occupants.all].filter((other) => other !== occupant && isShown(room, other));
  const codes: StatusCode[] = [...ownStatuses];
  if (config.whois === 'anyone') codes.push(status.nonAnonymous);
  if (config.publicLog) codes.push(status.logged);
  if (occupant.nick !== nick) codes.push(status.nickGiven);
  const self = toSelf(room, occupant, { ownStatuses: codes }, [from]);
  return [
    ...others.map((other) => ({ stanza: presenceForOthers(room, other, jid), to: [from] })),
    { ...self, stanza: self.stanza.with({ id }) },
    ...historyFor(room, from, history, nowMs),
    subjectFor(room, from),
    ...avatarFor(room, [from]),
  ];
}

function occupantAt({ occupants }: ExistingRoom, key: string): Occupant {
  const occupant = occupants.named(key);
  if (!occupant) throw new Error('nobody has the new nickname');
  return occupant;
}
