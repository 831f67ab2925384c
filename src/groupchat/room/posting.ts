import { Jid } from '../../protocol/jid.ts';
import { isWorthArchiving } from '../../protocol/message-kind.ts';
import { reflectable, withOccupantId } from '../../protocol/muc/reflection.ts';
import { ns } from '../../protocol/namespaces.ts';
import { isRetracted } from '../../protocol/retraction.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { withStanzaId } from '../../protocol/stanza-id.ts';
import type { Payload } from '../../xml/payload.ts';
import type { Post } from './command.ts';
import type { Announcement, Decision, RoomChange } from './decision.ts';
import { takenBack } from './moderating.ts';
import type { Occupant } from './occupants.ts';
import { checkActor } from './rights.ts';
import { type ExistingRoom, type RoomState, rightsPolicyOf, standingOf } from './state.ts';

/** The most bytes of a subject: every newcomer gets it. */
const maxSubjectBytes = 4 * 1024;

/** A message to everybody, or a new subject (XEP-0045 §7.4, §8.1). Throws StanzaError. */
export function post(state: RoomState, { from, message, archive, target, nowMs }: Post): Decision {
  const { room, author } = authorOf(state, from, message);
  const isSubject = changesSubject(message.payload);
  const content = withOccupantId(reflectable(message.payload, room.address), author.occupantId);
  const isKept = isSubject || isWorthArchiving(content);
  const payload = isKept ? withStanzaId(content, room.address, archive.id) : content;
  const attributes = { from: author.address, id: message.id, type: 'groupchat', lang: message.lang };
  const stanza = new Stanza('message', attributes, payload);
  if (!isKept) return { changes: [], announcements: [{ stanza, to: room.occupants.sessions }] };
  if (isSubject && payload.bytes.length > maxSubjectBytes) throw StanzaError.notAcceptable('the subject is too long');
  const isArchived = room.config.archiving;
  const posted: RoomChange = {
    kind: 'posted',
    entry: { number: archive.number, message: stanza, atMs: nowMs, isArchived },
    author: from,
    occupantId: author.occupantId,
    inHistory: !isSubject,
  };
  const changes: RoomChange[] = [posted];
  if (target && target.occupantId === author.occupantId && !isRetracted(target.message.payload))
    changes.push(takenBack(target, { id: archive.id, atMs: nowMs }));
  if (isSubject) changes.push({ kind: 'subject', subject: { message: stanza, atMs: nowMs } });
  const announcements: Announcement[] = [
    { stanza, to: room.occupants.sessions, posted: archive.number, isArchived },
    ...forAbsentMembers(room, stanza, archive.number),
  ];
  return { changes, announcements };
}

/**
 * In a private group, members who have reserved a nickname hear of messages also while they are not in the room. Elsewhere a member who is
 * not there has left.
 */
function forAbsentMembers(room: ExistingRoom, stanza: Stanza, posted: number): Announcement[] {
  const { membersOnly, whois } = room.config;
  if (!membersOnly || whois !== 'anyone' || room.reservedNicks.size === 0) return [];
  const present = new Set(Array.from(room.occupants.all, ({ user }) => user.toString()));
  const absent = [...room.reservedNicks.values()].filter((jid) => !present.has(jid));
  return absent.length === 0 ? [] : [{ stanza, to: absent.map((jid) => Jid.parse(jid)), posted, isForAbsent: true }];
}

/** The occupant that posts a message. Throws StanzaError if it may not. */
export function authorOf(
  room: RoomState,
  from: Jid,
  { payload }: Stanza,
): { readonly room: ExistingRoom; readonly author: Occupant } {
  if (room.kind === 'absent') throw StanzaError.itemNotFound('there is no such room');
  const author = room.occupants.with(from);
  if (!author) throw StanzaError.notAcceptable('you are not in this room');
  checkActor(changesSubject(payload) ? 'change subject' : 'speak', standingOf(room, from), rightsPolicyOf(room));
  return { room, author };
}

/** A subject alone changes the subject; beside a body or a thread it belongs to the message (XEP-0045 §8.1). */
export function changesSubject(payload: Payload): boolean {
  return payload.has('subject', ns.client) && !payload.has('body', ns.client) && !payload.has('thread', ns.client);
}
