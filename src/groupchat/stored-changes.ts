import type { Jid } from '../protocol/jid.ts';
import { nickKey } from '../protocol/muc/nick-key.ts';
import type { RoomConfig } from '../protocol/muc/room-config.ts';
import type { OccupantChange, RoomAffiliation, RoomListing, StoredRoomChange } from '../storage/rooms.ts';
import type { RoomChange } from './room/decision.ts';
import type { Occupant } from './room/occupants.ts';
import type { Affiliated } from './room/state.ts';

/** The changes of a room that must survive a restart, apart from its creation, its end and its messages. */
export function storedChanges(changes: readonly RoomChange[]): StoredRoomChange[] {
  return changes.flatMap((change): StoredRoomChange[] => {
    switch (change.kind) {
      case 'configured':
        return [{ kind: 'config', config: configText(change.config), listing: listingOf(change.config) }];
      case 'affiliations':
        return [...change.entries].map(([jid, affiliated]) =>
          affiliated
            ? { kind: 'affiliation', entry: storedAffiliation(jid, affiliated) }
            : { kind: 'affiliation-removed', jid },
        );
      case 'subject': {
        const { message, atMs } = change.subject;
        return [{ kind: 'subject', subject: { message: message.toBytes(), atMs } }];
      }
      case 'vcard':
        return [{ kind: 'vcard', vcard: change.vcard }];
      case 'message-replaced':
        return [{ kind: 'message-replaced', id: change.number, bytes: change.message.toBytes() }];
      default:
        return [];
    }
  });
}

/** The changes for the clients of an occupant whose state is another one, or that is gone. `lastConfirmed` is called for clients that stay. */
export function occupantChanges(
  before: Occupant | undefined,
  after: Occupant | undefined,
  lastConfirmed: (client: Jid) => number,
): OccupantChange[] {
  const [were, are] = [before?.sessions ?? [], after?.sessions ?? []];
  const left = were.filter(({ jid }) => !are.some((one) => one.jid.equals(jid)));
  const isSame = before?.nick === after?.nick && before?.role === after?.role;
  const changed = are.filter((session) => !isSame || !were.includes(session));
  return [
    ...left.map(({ jid }) => ({ kind: 'left', jid: jid.toString(), nick: before?.nick ?? '' }) as const),
    ...changed.map(({ jid, presence }) => {
      const seenId = lastConfirmed(jid);
      const { nick = '', role = 'none' } = after ?? {};
      const occupant = { jid: jid.toString(), nick, role, presence: presence.toBytes(), seenId };
      return { kind: 'present', occupant } as const;
    }),
  ];
}

/** The configuration as it is stored. */
export function configText(config: RoomConfig): string {
  return JSON.stringify(config);
}

/** The parts of a configuration that lists need. */
export function listingOf({ name, public: isPublic }: RoomConfig): RoomListing {
  return { name, isPublic };
}

function storedAffiliation(jid: string, { affiliation, nick, reason }: Affiliated): RoomAffiliation {
  return { jid, affiliation, nick, nickKey: nick === undefined ? undefined : nickKey(nick), reason };
}
