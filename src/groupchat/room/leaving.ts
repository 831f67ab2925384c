import type { Jid } from '../../protocol/jid.ts';
import { mucUserElement, status } from '../../protocol/muc/user-element.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { type StanzaCondition, StanzaError } from '../../protocol/stanza-error.ts';
import { applied } from './apply.ts';
import type { Leave, Probe, ReportFailure, ShowPresence } from './command.ts';
import { type Announcement, type Decision, nothing, type RoomChange } from './decision.ts';
import { changeNick } from './nick-change.ts';
import { checkedNickKey } from './nicknames.ts';
import {
  type Departure,
  isShown,
  presenceForOthers,
  seesJids,
  toOthers,
  toSelf,
  unavailableToOthers,
  unavailableToSelf,
} from './presence.ts';
import { endsOf, returned } from './private-messages.ts';
import { partingPresence, sessionWith, showsNews, withSession } from './sessions.ts';
import { type ExistingRoom, existing, type RoomState } from './state.ts';

/** Conditions of the errors that come back for a client that is gone (XEP-0045 §18.1.2, and others that servers use). */
const ofGoneClients: ReadonlySet<StanzaCondition> = new Set<StanzaCondition>([
  'gone',
  'internal-server-error',
  'item-not-found',
  'jid-malformed',
  'recipient-unavailable',
  'redirect',
  'remote-server-not-found',
  'remote-server-timeout',
  'service-unavailable',
]);

/** A client leaves, whatever nickname it names: after a change of nickname it may know two (XEP-0045 §7.14). */
export function leave(room: RoomState, { from, presence }: Leave): Decision {
  if (room.kind === 'absent') return nothing;
  return withdraw(room, [from], { presence: partingPresence(presence, room.address) });
}

/** Clients that cannot be reached are out of the room; other errors mean nothing (XEP-0045 §18.1.2). */
export function dropUnreachable(room: RoomState, failures: readonly ReportFailure[]): Decision {
  if (room.kind === 'absent') return nothing;
  const refused = failures.map((failure) => ({ failure, answer: returned(room, failure) }));
  const unreachable = refused.filter(({ failure, answer }) => !answer && ofGoneClients.has(failure.error.condition));
  const clients = unreachable.map(({ failure }) => failure.from);
  const { changes, announcements } = withdraw(room, clients, { statuses: [status.unreachable] });
  return { changes, announcements: [...refused.flatMap(({ answer }) => answer ?? []), ...announcements] };
}

/** A change of presence or of nickname (XEP-0045 §7.6, §7.7). Throws StanzaError. */
export function showPresence(room: RoomState, command: ShowPresence): Decision {
  const { from, nick, presence } = command;
  const occupant = room.kind === 'existing' ? room.occupants.with(from) : undefined;
  if (room.kind === 'absent' || !occupant) return notInRoom(room, command);
  // Presence to the room itself is for the nickname that the client has.
  const isSameKey = nick === '' || checkedNickKey(nick) === occupant.nickKey;
  if (!isSameKey || (nick !== '' && nick !== occupant.nick && occupant.sessions.length === 1))
    return changeNick(room, occupant, command);
  const after = withSession(occupant, sessionWith(presence, from, room.address));
  const change: RoomChange = { kind: 'occupant', nickKey: occupant.nickKey, occupant: after };
  const then = existing(applied(room, change));
  return { changes: [change], announcements: [toSelf(then, after), ...toOthers(then, after)] };
}

/** How an occupant shows itself, for others in the room. Throws StanzaError. */
export function probe(room: RoomState, { from, nick }: Probe): Decision {
  const { author, target } = endsOf(room, from, nick);
  const state = existing(room);
  if (target === author) return { changes: [], announcements: [toSelf(state, target, {}, [from])] };
  if (!isShown(state, target)) throw StanzaError.itemNotFound('nobody has this nickname');
  const stanza = presenceForOthers(state, target, seesJids(state, author));
  return { changes: [], announcements: [{ stanza, to: [from] }] };
}

/**
 * Removes clients, and each occupant with its last client (XEP-0045 §7.2.8, §7.14). All are out of the room before anybody is told, so that
 * a client that leaves does not hear of the others.
 */
export function withdraw(room: ExistingRoom, clients: readonly Jid[], departure: Departure): Decision {
  const goes = new Set(clients.map(String));
  const concerned = new Set(clients.flatMap((client) => room.occupants.with(client) ?? []));
  const partings = [...concerned].map((occupant) => {
    const [leaving, rest] = partition(occupant.sessions, ({ jid }) => goes.has(jid.toString()));
    return { occupant, leaving, left: rest.length > 0 ? { ...occupant, sessions: rest } : undefined };
  });
  const changes = partings.map(
    ({ occupant: { nickKey }, left }): RoomChange => ({ kind: 'occupant', nickKey, occupant: left }),
  );
  const after = existing(changes.reduce<RoomState>(applied, room));
  const departures = partings.map(({ occupant, leaving }) =>
    unavailableToSelf(
      after,
      occupant,
      departure,
      leaving.map(({ jid }) => jid),
    ),
  );
  const news = partings.flatMap(({ occupant, left }): Announcement[] => {
    if (!left) return unavailableToOthers(after, occupant, departure);
    return showsNews(occupant, left) ? [toSelf(after, left), ...toOthers(after, left)] : [];
  });
  return { changes, announcements: [...departures, ...news] };
}

function partition<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): [Item[], Item[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}

/** Tells a client that believes to be in the room that it is not (XEP-0045 §7.2.18). */
export function notInRoom({ address }: RoomState, { from, nick }: Pick<ShowPresence, 'from' | 'nick'>): Decision {
  if (nick === '') throw StanzaError.jidMalformed('a nickname is missing');
  const x = mucUserElement({
    item: { affiliation: 'none', role: 'none' },
    statuses: [status.self, status.kicked, status.unreachable],
  });
  const stanza = Stanza.presence({ from: address.withResource(nick), type: 'unavailable' }, x);
  return { changes: [], announcements: [{ stanza, to: [from] }] };
}
