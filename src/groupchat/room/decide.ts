import { administer, readLists } from './administering.ts';
import { setVcard } from './avatar.ts';
import type { RoomCommand, UnaskedCommand } from './command.ts';
import { configure, destroy, readConfig, remove, setAffiliation } from './configuring.ts';
import { type Decision, nothing } from './decision.ts';
import { endIfOver } from './ending.ts';
import { enter } from './entering.ts';
import { decline, invite } from './inviting.ts';
import { dropUnreachable, leave, probe, showPresence } from './leaving.ts';
import { moderate } from './moderating.ts';
import { createRoom, eject, forgetHistory, reconfigure } from './operating.ts';
import { post } from './posting.ts';
import { sendPrivately } from './private-messages.ts';
import { recover, resync } from './recovering.ts';
import { readRegistrationForm, register } from './registering.ts';
import { ask, expireRequest, reply } from './requesting.ts';
import type { RoomState } from './state.ts';
import { answerVoice, requestVoice } from './voice.ts';

/** Decides about a command. Pure: the same state and command give the same decision. Throws StanzaError to refuse. */
export function decide(room: RoomState, command: RoomCommand): Decision {
  switch (command.kind) {
    case 'enter':
      return enter(room, command);
    case 'show-presence':
      return showPresence(room, command);
    case 'leave':
      return leave(room, command);
    case 'report-failure':
      return dropUnreachable(room, [command]);
    case 'post':
      return post(room, command);
    case 'read-config':
      return readConfig(room, command);
    case 'configure':
      return configure(room, command);
    case 'moderate':
      return moderate(room, command);
    case 'set-vcard':
      return setVcard(room, command);
    case 'destroy':
      return destroy(room, command);
    case 'read-lists':
      return readLists(room, command);
    case 'administer':
      return administer(room, command);
    case 'send-privately':
      return sendPrivately(room, command);
    case 'ask':
      return ask(room, command);
    case 'reply':
      return reply(room, command);
    case 'invite':
      return invite(room, command);
    case 'decline':
      return decline(room, command);
    case 'request-voice':
      return requestVoice(room, command);
    case 'answer-voice':
      return answerVoice(room, command);
    case 'read-registration':
      return readRegistrationForm(room, command);
    case 'register':
      return register(room, command);
    case 'probe':
      return probe(room, command);
    default:
      return decideUnasked(room, command);
  }
}

/** Decides about a command that does not come from a client. */
function decideUnasked(room: RoomState, command: UnaskedCommand): Decision {
  switch (command.kind) {
    case 'report-failures':
      return dropUnreachable(room, command.failures);
    case 'recover':
      return recover(room, command);
    case 'resync':
      return resync(room, command);
    case 'expire-request':
      return expireRequest(room, command);
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
    case 'create':
      return createRoom(room, command);
    case 'reconfigure':
      return reconfigure(room, command);
    case 'eject':
      return eject(room, command);
    case 'forget-history':
      return forgetHistory(room, command);
    case 'forget-message':
      return room.kind === 'existing'
        ? { changes: [{ kind: 'message-forgotten', number: command.number }], announcements: [] }
        : nothing;
  }
}
