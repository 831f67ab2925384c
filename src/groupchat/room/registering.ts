import type { Jid } from '../../protocol/jid.ts';
import { registrationElement } from '../../protocol/muc/registration.ts';
import { isAffiliatedAs } from '../../protocol/muc/vocabulary.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { checkAffiliations } from './administering.ts';
import { answer } from './answer.ts';
import { applied } from './apply.ts';
import type { ReadRegistration, Register } from './command.ts';
import type { Decision, RoomChange } from './decision.ts';
import { checkedNickKey, checkNickIsFree } from './nicknames.ts';
import { newsOfAbsent, occupantsAfter } from './standing-changes.ts';
import { type Affiliated, affiliationOf, type ExistingRoom, existing, type RoomState } from './state.ts';

/** XEP-0045 §7.10. Throws StanzaError. */
export function readRegistrationForm(state: RoomState, { from, request }: ReadRegistration): Decision {
  const room = openTo(state, from);
  const { nick } = room.affiliations.get(from.bare().toString()) ?? {};
  return { changes: [], announcements: [answer(request, registrationElement(nick))] };
}

/** Reserves a nickname, which makes its user a member; or ends that (XEP-0045 §7.10). Throws StanzaError. */
export function register(state: RoomState, { from, request, wanted }: Register): Decision {
  const room = openTo(state, from);
  const jid = from.bare().toString();
  const before = room.affiliations.get(jid);
  const entry = wanted === 'remove' ? withoutNick(before) : withNick(room, from, before, wanted);
  const entries = new Map([[jid, entry]]);
  const change: RoomChange = { kind: 'affiliations', entries };
  const after = existing(applied(room, change));
  checkAffiliations(after, room);
  const { changes, toTargets, toOthers } = occupantsAfter(room, after);
  const news = [...toOthers, ...newsOfAbsent(room, after, entries)];
  return { changes: [change, ...changes], announcements: [...toTargets, answer(request), ...news] };
}

/** Members stay admins or owners without a nickname; others are no members any more. */
function withoutNick(before: Affiliated | undefined): Affiliated | undefined {
  return before && isAffiliatedAs(before.affiliation, 'admin') ? { ...before, nick: undefined } : undefined;
}

function withNick(room: ExistingRoom, from: Jid, before: Affiliated | undefined, nick: string): Affiliated {
  const key = checkedNickKey(nick);
  checkNickIsFree(room, from, key);
  return before ? { ...before, nick } : { affiliation: 'member', nick };
}

function openTo(room: RoomState, from: Jid): ExistingRoom {
  if (room.kind === 'absent') throw StanzaError.itemNotFound('there is no such room');
  const affiliation = affiliationOf(room, from);
  const mayRegister = room.config.membersOnly ? isAffiliatedAs(affiliation, 'member') : affiliation !== 'outcast';
  if (!mayRegister) throw StanzaError.notAllowed('you cannot register with this room');
  return room;
}
