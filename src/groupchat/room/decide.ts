import { administer, readLists } from './administering.ts';
import type { RoomCommand } from './command.ts';
import { configure, destroy, readConfig, remove, setAffiliation } from './configuring.ts';
import { type Decision, nothing } from './decision.ts';
import { endIfOver } from './ending.ts';
import { enter } from './entering.ts';
import { dropUnreachable, leave, showPresence } from './leaving.ts';
import { moderate } from './moderating.ts';
import { post } from './posting.ts';
import type { RoomState } from './state.ts';

/** What a room does about a command. Pure: the same state and command give the same decision. Throws StanzaError to refuse. */
export function decide(room: RoomState, command: RoomCommand): Decision {
  switch (command.kind) {
    case 'enter':
      return enter(room, command);
    case 'show-presence':
      return showPresence(room, command);
    case 'leave':
      return leave(room, command);
    case 'report-failure':
      return dropUnreachable(room, command);
    case 'post':
      return post(room, command);
    case 'read-config':
      return readConfig(room, command);
    case 'configure':
      return configure(room, command);
    case 'moderate':
      return moderate(room, command);
    case 'destroy':
      return destroy(room, command);
    case 'read-lists':
      return readLists(room, command);
    case 'administer':
      return administer(room, command);
    case 'end-if-over':
      return endIfOver(room, command);
    case 'unlock':
      return room.kind === 'existing' && room.lockedFor
        ? { changes: [{ kind: 'unlocked' }], announcements: [] }
        : nothing;
    case 'set-affiliation':
      return setAffiliation(room, command.user, command.affiliation);
    case 'remove':
      return remove(room, command.destruction, command.nowMs);
    case 'forget-message':
      return room.kind === 'existing'
        ? { changes: [{ kind: 'message-forgotten', number: command.number }], announcements: [] }
        : nothing;
  }
}
