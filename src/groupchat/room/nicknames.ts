import type { Jid } from '../../protocol/jid.ts';
import { nickKey } from '../../protocol/muc/nick-key.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { ExistingRoom } from './state.ts';

/** The most bytes of a nickname. */
const maxNickBytes = 64;
/** With how many clients an occupant may be in a room. */
const maxSessions = 10;

/** The key of a nickname that somebody may have. Throws `jid-malformed`. */
export function checkedNickKey(nick: string): string {
  const key = nickKey(nick);
  if (key === '' || Buffer.byteLength(nick) > maxNickBytes)
    throw StanzaError.jidMalformed(nick === '' ? 'a nickname is missing' : 'nobody can have this nickname');
  return key;
}

/** Throws `conflict` if somebody else has the nickname or has reserved it, or if too many clients share it. */
export function checkNickIsFree(room: ExistingRoom, from: Jid, key: string): void {
  const user = from.bare();
  const holder = room.occupants.named(key);
  const reservedFor = room.reservedNicks.get(key);
  const isTaken = holder ? !holder.user.equals(user) : reservedFor !== undefined && reservedFor !== user.toString();
  if (isTaken) throw StanzaError.conflict('somebody else has this nickname');
  if (holder && holder.sessions.length >= maxSessions) throw StanzaError.conflict('too many clients of this occupant');
}
