import type { Jid } from '../../protocol/jid.ts';
import { status } from '../../protocol/muc/user-element.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { applied } from './apply.ts';
import type { Announcement, Decision, RoomChange } from './decision.ts';
import { checkedNickKey, checkNickIsFree } from './nicknames.ts';
import type { Occupant } from './occupants.ts';
import { presenceForOthers, seesJids, toOthers, toSelf, unavailableToOthers, unavailableToSelf } from './presence.ts';
import { sessionsWithout, sessionWith, showsNews, withSession } from './sessions.ts';
import { type ExistingRoom, existing, type RoomState } from './state.ts';

/** The client that wants another nickname. */
interface NickRequest {
  readonly from: Jid;
  readonly nick: string;
  readonly presence: Stanza;
}

/**
 * Gives a client of an occupant another nickname (XEP-0045 §7.6). If the occupant has further clients, these keep the old one, and the
 * others see somebody else come. Throws StanzaError.
 */
export function changeNick(room: ExistingRoom, occupant: Occupant, request: NickRequest): Decision {
  const { from, nick, presence } = request;
  const nickKey = checkedNickKey(nick);
  if (nickKey !== occupant.nickKey) checkNickIsFree(room, from, nickKey);
  const session = sessionWith(presence, from, room.address);
  const rest = sessionsWithout(occupant, from);
  const holder = nickKey === occupant.nickKey ? undefined : room.occupants.named(nickKey);
  const renamed = { ...occupant, nick, nickKey, address: room.address.withResource(nick), sessions: [] };
  const arrived = withSession(holder ?? renamed, session);
  const left = rest.length > 0 ? { ...occupant, sessions: rest } : undefined;
  const changes: RoomChange[] = [
    { kind: 'occupant', nickKey: occupant.nickKey, occupant: left },
    { kind: 'occupant', nickKey, occupant: arrived },
  ];
  const after = existing(changes.reduce<RoomState>(applied, room));
  const announcements = left
    ? apart(after, occupant, { left, arrived, from })
    : together(after, occupant, { arrived, from, isNew: holder === undefined });
  return { changes, announcements };
}

/** The occupant has changed its nickname with all its clients. */
function together(
  room: ExistingRoom,
  before: Occupant,
  { arrived, from, isNew }: { readonly arrived: Occupant; readonly from: Jid; readonly isNew: boolean },
): Announcement[] {
  const departure = isNew ? { statuses: [status.nickChanged], nick: arrived.nick } : {};
  const own = { statuses: [status.nickChanged], nick: arrived.nick };
  return [
    unavailableToSelf(room, before, own, [from]),
    ...unavailableToOthers(room, before, departure).map((one) => without(one, from)),
    toSelf(room, arrived),
    ...toOthers(room, arrived),
  ];
}

/** One client has gone to another nickname, and others have stayed: for everybody else a new occupant comes. */
function apart(
  room: ExistingRoom,
  before: Occupant,
  { left, arrived, from }: { readonly left: Occupant; readonly arrived: Occupant; readonly from: Jid },
): Announcement[] {
  const jid = seesJids(room, arrived);
  return [
    unavailableToSelf(room, before, { statuses: [status.nickChanged], nick: arrived.nick }, [from]),
    toSelf(room, arrived),
    { stanza: presenceForOthers(room, left, jid), to: [from] },
    ...toOthers(room, arrived),
    ...(showsNews(before, left) ? [toSelf(room, left), ...toOthers(room, left).map((one) => without(one, from))] : []),
  ];
}

function without(announcement: Announcement, client: Jid): Announcement {
  return { ...announcement, to: announcement.to.filter((jid) => !jid.equals(client)) };
}
