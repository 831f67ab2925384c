import { nickKey } from '../protocol/muc/nick-key.ts';
import type { RoomConfig } from '../protocol/muc/room-config.ts';
import type { RoomAffiliation, RoomListing, StoredRoomChange } from '../storage/rooms.ts';
import type { RoomChange } from './room/decision.ts';
import type { Affiliated } from './room/state.ts';

/** What of the changes of a room must survive a restart, apart from its beginning, its end and its messages. */
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
      case 'message-replaced':
        return [{ kind: 'message-replaced', id: change.number, bytes: change.message.toBytes() }];
      default:
        return [];
    }
  });
}

/** The configuration as it is stored. */
export function configText(config: RoomConfig): string {
  return JSON.stringify(config);
}

/** What searches need of a configuration. */
export function listingOf({ name, public: isPublic }: RoomConfig): RoomListing {
  return { name, isPublic };
}

function storedAffiliation(jid: string, { affiliation, nick, reason }: Affiliated): RoomAffiliation {
  return { jid, affiliation, nick, nickKey: nick === undefined ? undefined : nickKey(nick), reason };
}
