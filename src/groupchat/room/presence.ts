import type { Jid } from '../../protocol/jid.ts';
import { occupantIdContent } from '../../protocol/muc/reflection.ts';
import {
  type Destruction,
  type MucItem,
  mucUserElement,
  type StatusCode,
  status,
} from '../../protocol/muc/user-element.ts';
import type { Affiliation } from '../../protocol/muc/vocabulary.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { Payload } from '../../xml/payload.ts';
import type { Announcement } from './decision.ts';
import { type Occupant, primaryOf } from './occupants.ts';
import { affiliationOf, type ExistingRoom } from './state.ts';

/** Details that a room adds to the presence of an occupant. */
export interface Circumstances {
  /** Status codes for everybody who gets the presence. */
  readonly statuses?: readonly StatusCode[];
  /** Further status codes for the occupant itself. */
  readonly ownStatuses?: readonly StatusCode[];
  readonly nick?: string;
  readonly actor?: string | undefined;
  readonly reason?: string | undefined;
}

/** How an occupant leaves a nickname. */
export interface Departure extends Circumstances {
  /** The presence with which it leaves, if it has sent one. */
  readonly presence?: Stanza;
  readonly destruction?: Destruction;
}

/** Whether others see the presence of an occupant. */
export function isShown({ config }: ExistingRoom, { role }: Occupant): boolean {
  return config.presenceBroadcast.includes(role);
}

/** Whether an occupant sees full JIDs of others. */
export function seesJids({ config }: ExistingRoom, { role }: Pick<Occupant, 'role'>): boolean {
  return config.whois === 'anyone' || role === 'moderator';
}

/** The presence of an occupant for others, with its JID and without. */
interface ShownPresence {
  readonly affiliation: Affiliation;
  open?: Stanza;
  hidden?: Stanza;
}

/** Everybody who enters gets the presence of everybody: it is written once as long as it stays the same. */
const shownPresences = new WeakMap<Occupant, ShownPresence>();

/** The presence of an occupant for others that may see its JID, or that may not. */
export function presenceForOthers(room: ExistingRoom, occupant: Occupant, withJid: boolean): Stanza {
  const affiliation = affiliationOf(room, occupant.user);
  let shown = shownPresences.get(occupant);
  if (shown?.affiliation !== affiliation) {
    shown = { affiliation };
    shownPresences.set(occupant, shown);
  }
  const view = withJid ? 'open' : 'hidden';
  shown[view] ??= kept(presenceOf(room, occupant, { jid: withJid, self: false }));
  return shown[view];
}

/** A small buffer is a part of a large one, which stays in memory with it. */
function kept(stanza: Stanza): Stanza {
  return stanza.with({ payload: stanza.payload.detached() });
}

/** The presence of an occupant for clients that are its own, or all of which may see its JID, or none. */
function presenceOf(
  room: ExistingRoom,
  occupant: Occupant,
  view: { readonly jid: boolean; readonly self: boolean },
  circumstances: Circumstances = {},
): Stanza {
  const { presence, jid } = primaryOf(occupant);
  const item = {
    affiliation: affiliationOf(room, occupant.user),
    role: occupant.role,
    jid: view.jid ? jid : undefined,
  };
  return said(presence, undefined, occupant, item, circumstances, view.self);
}

/** The presence of an occupant to all other clients in the room. */
export function toOthers(room: ExistingRoom, occupant: Occupant, circumstances?: Circumstances): Announcement[] {
  if (!isShown(room, occupant)) return [];
  return byView(room, occupant, (jid) =>
    circumstances
      ? presenceOf(room, occupant, { jid, self: false }, circumstances)
      : presenceForOthers(room, occupant, jid),
  );
}

/** The presence of an occupant to its own clients, or some of them. */
export function toSelf(
  room: ExistingRoom,
  occupant: Occupant,
  circumstances: Circumstances = {},
  to: readonly Jid[] = clientsOf(occupant),
): Announcement {
  return { stanza: presenceOf(room, occupant, { jid: true, self: true }, circumstances), to };
}

/** Tells clients of an occupant that they have left the room, or this nickname. */
export function unavailableToSelf(
  room: ExistingRoom,
  occupant: Occupant,
  departure: Departure,
  to: readonly Jid[] = clientsOf(occupant),
): Announcement {
  return { stanza: absenceOf(room, occupant, { jid: true, self: true }, departure), to };
}

/** Tells the others that an occupant has left the room, or its nickname. `room` is the room without it. */
export function unavailableToOthers(room: ExistingRoom, occupant: Occupant, departure: Departure): Announcement[] {
  if (!isShown(room, occupant)) return [];
  return byView(room, occupant, (jid) => absenceOf(room, occupant, { jid, self: false }, departure));
}

/** All clients of an occupant. */
export function clientsOf({ sessions }: Occupant): readonly Jid[] {
  return sessions.map(({ jid }) => jid);
}

function absenceOf(
  room: ExistingRoom,
  occupant: Occupant,
  view: { readonly jid: boolean; readonly self: boolean },
  departure: Departure,
): Stanza {
  const { presence = Stanza.presence({}), destruction } = departure;
  const item: MucItem = destruction
    ? { affiliation: 'none', role: 'none' }
    : {
        affiliation: affiliationOf(room, occupant.user),
        role: 'none',
        jid: view.jid ? primaryOf(occupant).jid : undefined,
      };
  return said(presence, 'unavailable', occupant, item, departure, view.self);
}

function said(
  presence: Stanza,
  type: 'unavailable' | undefined,
  { address, occupantId }: Occupant,
  item: MucItem,
  { statuses = [], ownStatuses = [], nick, actor, reason, destruction }: Departure,
  self: boolean,
): Stanza {
  const codes = self ? [...statuses, ...ownStatuses, status.self] : statuses;
  const x = mucUserElement({ item: { ...item, nick, actor, reason }, statuses: codes, destruction });
  const payload = presence.payload.joined(occupantIdContent(occupantId), Payload.of(x));
  return presence.with({ from: address, type, payload });
}

/** One announcement for the clients that see full JIDs, and one for the others; none for the occupant's own. */
function byView(room: ExistingRoom, occupant: Occupant, make: (jid: boolean) => Stanza): Announcement[] {
  const views = new Map<boolean, Jid[]>();
  for (const other of room.occupants.all) {
    if (other.nickKey === occupant.nickKey) continue;
    const jid = seesJids(room, other);
    const to = views.get(jid) ?? [];
    if (!views.has(jid)) views.set(jid, to);
    for (const session of other.sessions) to.push(session.jid);
  }
  return [...views].map(([jid, to]) => ({ stanza: make(jid), to }));
}
