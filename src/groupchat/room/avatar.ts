import type { Jid } from '../../protocol/jid.ts';
import { avatarElement } from '../../protocol/muc/room-vcard.ts';
import { status } from '../../protocol/muc/user-element.ts';
import { isAffiliatedAs } from '../../protocol/muc/vocabulary.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { answer } from './answer.ts';
import type { SetVcard } from './command.ts';
import { configurable, notice } from './configuring.ts';
import type { Announcement, Decision } from './decision.ts';
import { affiliationOf, type ExistingRoom, type RoomState } from './state.ts';

/** An owner changes the vCard of the room, and with it the avatar (XEP-0486 §4.2). Throws StanzaError. */
export function setVcard(state: RoomState, { from, request, vcard }: SetVcard): Decision {
  const room = configurable(state, from);
  const isOther = (vcard?.avatarHashes ?? []).join() !== room.avatarHashes.join();
  const after = { ...room, avatarHashes: vcard?.avatarHashes ?? [] };
  return {
    changes: [{ kind: 'vcard', vcard }],
    announcements: [
      answer(request),
      notice(room, [status.configChanged]),
      ...(isOther ? [avatarPresence(after, room.occupants.sessions)] : []),
    ],
  };
}

/** The hash of the avatar, for clients that come; nothing if the room has no avatar. */
export function avatarFor(room: ExistingRoom, to: readonly Jid[]): Announcement[] {
  return room.avatarHashes.length > 0 ? [avatarPresence(room, to)] : [];
}

/** Whether somebody may see the vCard and the avatar: occupants, members, and those who could enter without being members. */
export function maySeeAvatar(room: ExistingRoom, asker: Jid): boolean {
  if (room.occupants.with(asker)) return true;
  return isAffiliatedAs(affiliationOf(room, asker), room.config.membersOnly ? 'member' : 'none');
}

/** Clients that do not ask for the hash expect it in a presence of the room, as from other servers (XEP-0486 §6.2). */
function avatarPresence({ address, avatarHashes }: ExistingRoom, to: readonly Jid[]): Announcement {
  return { stanza: Stanza.presence({ from: address }, avatarElement(avatarHashes)), to };
}
