import { formElement } from '../../protocol/data-form.ts';
import type { FieldValues } from '../../protocol/form-values.ts';
import { Jid } from '../../protocol/jid.ts';
import { ifAddress } from '../../protocol/jid-or-nothing.ts';
import {
  configuredRoom,
  isSameConfig,
  type RoomConfig,
  type RoomStaff,
  roomConfigForm,
  staffIn,
} from '../../protocol/muc/room-config.ts';
import { type Destruction, mucUserElement, type StatusCode, status } from '../../protocol/muc/user-element.ts';
import type { Affiliation } from '../../protocol/muc/vocabulary.ts';
import { ns } from '../../protocol/namespaces.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { RoomTombstone } from '../../storage/rooms.ts';
import { xml } from '../../xml/element.ts';
import { answer } from './answer.ts';
import { applied } from './apply.ts';
import type { Configure, Destroy, ReadConfig } from './command.ts';
import { type Announcement, type Decision, nothing, type RoomChange } from './decision.ts';
import { ownersOf } from './ending.ts';
import { unavailableToSelf } from './presence.ts';
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

/** For how long nobody else can create a room that was destroyed. */
const tombstoneMs = 31 * 24 * 60 * 60 * 1000;

/** The form of the owner (XEP-0045 §10.1.3, §10.2). Throws StanzaError. */
export function readConfig(state: RoomState, { from, request }: ReadConfig): Decision {
  const room = configurable(state, from);
  const form = formElement(roomConfigForm(room.config, staffOf(room)));
  return { changes: [], announcements: [answer(request, xml('query', { xmlns: ns.mucOwner }, form))] };
}

/** A submitted or cancelled form (XEP-0045 §10.1, §10.2). Throws StanzaError, and then nothing has changed. */
export function configure(state: RoomState, { from, request, values }: Configure): Decision {
  const room = configurable(state, from);
  if (!values) return room.lockedFor ? end(room, request, {}) : { changes: [], announcements: [answer(request)] };
  return reconfigured(room, changesBy(room, values), request);
}

/** The room with another configuration or other staff, and what everybody is told of that. The answer to a request has its place. */
export function reconfigured(room: ExistingRoom, changes: readonly RoomChange[], request?: Stanza): Decision {
  const after = existing(changes.reduce<RoomState>(applied, room));
  const standings = occupantsAfter(room, after);
  const then = existing(standings.changes.reduce<RoomState>(applied, after));
  const codes = statusesOf(room.config, after.config);
  const announcements = [
    ...standings.toTargets,
    ...(request ? [answer(request)] : []),
    ...standings.toOthers,
    ...newsOfAbsent(room, then, changedAffiliations(changes)),
    ...(codes.length > 0 ? [notice(then, codes)] : []),
  ];
  return { changes: [...changes, ...standings.changes], announcements };
}

/** XEP-0045 §10.9. Throws StanzaError. */
export function destroy(state: RoomState, { from, request, destruction, nowMs }: Destroy): Decision {
  const room = configurable(state, from);
  return end(room, request, destruction, tombstoneOf(room, destruction, nowMs));
}

function tombstoneOf(room: ExistingRoom, { alternative, reason }: Destruction, nowMs: number): RoomTombstone {
  return { untilMs: nowMs + tombstoneMs, alternative: alternative?.toString(), reason, owners: ownersOf(room) };
}

/** Destroys a room for the operator. */
export function remove(room: RoomState, destruction: Destruction, nowMs: number): Decision {
  return room.kind === 'absent' ? nothing : end(room, undefined, destruction, tombstoneOf(room, destruction, nowMs));
}

/** Gives a user an affiliation, whatever the rights in the room are. */
export function setAffiliation(room: RoomState, user: Jid, affiliation: Affiliation): Decision {
  if (room.kind === 'absent' || affiliationOf(room, user) === affiliation) return nothing;
  const before = room.affiliations.get(user.toString());
  const entry = affiliation === 'none' ? undefined : { ...(affiliation !== 'outcast' && before), affiliation };
  const entries = new Map([[user.toString(), entry]]);
  const changed: RoomChange = { kind: 'affiliations', entries };
  const after = existing(applied(room, changed));
  const { changes, toTargets, toOthers } = occupantsAfter(room, after);
  const then = existing(changes.reduce<RoomState>(applied, after));
  return {
    changes: [changed, ...changes],
    announcements: [...toTargets, ...toOthers, ...newsOfAbsent(room, then, entries)],
  };
}

/** The room, for an owner of it. Throws StanzaError. */
export function configurable(room: RoomState, from: Jid): ExistingRoom {
  if (room.kind === 'absent') throw StanzaError.itemNotFound('there is no such room');
  checkActor('configure', standingOf(room, from), rightsPolicyOf(room));
  return room;
}

function changesBy(room: ExistingRoom, values: FieldValues): RoomChange[] {
  const changes: RoomChange[] = [];
  if (room.lockedFor) changes.push({ kind: 'unlocked' });
  const config = configuredRoom(room.config, values);
  if (!isSameConfig(config, room.config)) changes.push({ kind: 'configured', config });
  const entries = affiliationsBy(room, staffIn(values));
  if (entries.size > 0) changes.push({ kind: 'affiliations', entries });
  return changes;
}

/** What the complete lists of a form change. Owners who are on no list any more become admins, and admins members. */
function affiliationsBy(room: ExistingRoom, lists: Partial<RoomStaff>): Map<string, Affiliated> {
  const entries = new Map<string, Affiliated>();
  const staff = staffOf(room);
  const owners = lists.owners ? bareJids(lists.owners) : staff.owners;
  const admins = (lists.admins ? bareJids(lists.admins) : staff.admins).filter((jid) => !owners.includes(jid));
  if (owners.length === 0) throw StanzaError.conflict('a room needs an owner');
  const become = (jid: string, affiliation: Affiliation) =>
    entries.set(jid, { ...room.affiliations.get(jid), affiliation });
  for (const jid of staff.owners) become(jid, lists.admins ? 'member' : 'admin');
  for (const jid of staff.admins) become(jid, 'member');
  for (const jid of admins) become(jid, 'admin');
  for (const jid of owners) become(jid, 'owner');
  for (const [jid, { affiliation }] of entries)
    if (affiliation === room.affiliations.get(jid)?.affiliation) entries.delete(jid);
  return entries;
}

function bareJids(texts: readonly string[]): string[] {
  return texts
    .filter((text) => text.trim() !== '')
    .map((text) => {
      const jid = ifAddress(() => Jid.parse(text.trim()).bare());
      if (!jid) throw StanzaError.notAcceptable(`'${text}' is not a JID`);
      return jid.toString();
    });
}

function staffOf({ affiliations }: ExistingRoom): RoomStaff {
  const listed = (wanted: Affiliation) =>
    [...affiliations].filter(([, { affiliation }]) => affiliation === wanted).map(([jid]) => jid);
  return { admins: listed('admin'), owners: listed('owner') };
}

/** What occupants are told of a changed configuration (XEP-0045 §10.2.1). */
function statusesOf(before: RoomConfig, after: RoomConfig): StatusCode[] {
  if (isSameConfig(before, after)) return [];
  const codes: StatusCode[] = [];
  if (before.whois !== after.whois)
    codes.push(after.whois === 'anyone' ? status.nowNonAnonymous : status.nowSemiAnonymous);
  if (before.publicLog !== after.publicLog) codes.push(after.publicLog ? status.logged : status.notLogged);
  const { whois, publicLog } = before;
  if (!isSameConfig(before, { ...after, whois, publicLog })) codes.push(status.configChanged);
  return codes;
}

/** Tells the occupants by status codes that something has changed (XEP-0045 §10.2.1). */
export function notice({ address, occupants }: ExistingRoom, statuses: readonly StatusCode[]): Announcement {
  const stanza = Stanza.message({ from: address, type: 'groupchat' }, mucUserElement({ statuses }));
  return { stanza, to: occupants.sessions };
}

function end(
  room: ExistingRoom,
  request: Stanza | undefined,
  destruction: Destruction,
  tombstone?: RoomTombstone,
): Decision {
  const departures = [...room.occupants.all].map((occupant) => unavailableToSelf(room, occupant, { destruction }));
  return {
    changes: [{ kind: 'destroyed', tombstone }],
    announcements: request ? [...departures, answer(request)] : departures,
  };
}

function changedAffiliations(changes: readonly RoomChange[]): ReadonlyMap<string, Affiliated | undefined> {
  return new Map(changes.flatMap((change) => (change.kind === 'affiliations' ? [...change.entries] : [])));
}
