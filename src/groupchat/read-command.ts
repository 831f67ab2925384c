import { ReceivedForm } from '../protocol/data-form.ts';
import type { Jid } from '../protocol/jid.ts';
import { readAdminChanges, readAdminLists } from '../protocol/muc/admin-items.ts';
import { readJoinRequest } from '../protocol/muc/join-request.ts';
import { readModeration } from '../protocol/muc/retraction.ts';
import { readDestruction } from '../protocol/muc/user-element.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { messageType } from '../protocol/stanza-rules.ts';
import { childNamed, type Element } from '../xml/element.ts';
import type {
  Administer,
  Configure,
  Destroy,
  Enter,
  Leave,
  Moderate,
  Post,
  ReadConfig,
  ReadLists,
  ReportFailure,
  ShowPresence,
} from './room/command.ts';

/** A command without what only the owner of the room knows at the moment at which it takes the command. */
type Without<Command, Known extends keyof Command> = Omit<Command, 'nowMs' | Known>;

/** What a client wants of a room. */
export type Wish =
  | Without<Enter, 'founding'>
  | Without<ShowPresence, never>
  | Without<Leave, never>
  | Without<Post, 'archive' | 'target'>
  | Without<Moderate, 'archive' | 'target'>
  | Without<ReadConfig, never>
  | Without<Configure, never>
  | Without<Destroy, never>
  | Without<ReadLists, never>
  | Without<Administer, never>
  | Without<ReportFailure, never>;

/** What a presence to a room or an occupant of it means; undefined if nothing. Throws StanzaError. */
export function readPresence(presence: Stanza, from: Jid, to: Jid): Wish | undefined {
  switch (presence.type) {
    case undefined:
      return readAvailable(presence, from, to);
    case 'unavailable':
      return { kind: 'leave', from, presence };
    case 'error':
      return readFailure(presence, from);
    default:
      return undefined;
  }
}

function readAvailable(presence: Stanza, from: Jid, to: Jid): Wish {
  const nick = to.resource;
  const x = presence.payload.find('x', ns.muc);
  if (!x) return { kind: 'show-presence', from, nick, presence };
  return { kind: 'enter', from, nick, presence, ...readJoinRequest(presence.payload.element(x)) };
}

/** What a message to a room means; undefined if nothing. Throws StanzaError. */
export function readMessage(message: Stanza, from: Jid, to: Jid): Wish | undefined {
  const type = messageType(message);
  if (type === 'error') return readFailure(message, from);
  if (!to.isBare) {
    if (type === 'groupchat') throw StanzaError.badRequest('a message to everybody goes to the room');
    throw StanzaError.serviceUnavailable('this room has no private messages');
  }
  if (type !== 'groupchat') throw StanzaError.badRequest('messages to a room have the type groupchat');
  return { kind: 'post', from, message: message.id ? message : message.with({ id: randomId() }) };
}

/** What an error from a client says: whether the room can reach it. */
function readFailure(stanza: Stanza, from: Jid): Wish | undefined {
  const child = stanza.payload.find('error', ns.client);
  return child && { kind: 'report-failure', from, error: StanzaError.fromElement(stanza.payload.element(child)) };
}

/** What a request to the room itself means; undefined if nothing. Throws StanzaError. */
export function readRequest(request: Stanza, from: Jid): Wish | undefined {
  const admin = request.payload.find('query', ns.mucAdmin);
  if (admin) return readAdministration(request, from, request.payload.element(admin));
  const moderation = request.payload.find('moderate', ns.moderation);
  if (moderation && request.type === 'set')
    return { kind: 'moderate', from, request, ...readModeration(request.payload.element(moderation)) };
  const child = request.payload.find('query', ns.mucOwner);
  if (!child) return undefined;
  if (request.type === 'get') return { kind: 'read-config', from, request };
  const query = request.payload.element(child);
  const destroy = childNamed(query, 'destroy', ns.mucOwner);
  if (destroy) return { kind: 'destroy', from, request, destruction: readDestruction(destroy) };
  return { kind: 'configure', from, request, values: readValues(query) };
}

function readAdministration(request: Stanza, from: Jid, query: Element): Wish {
  if (request.type === 'get') return { kind: 'read-lists', from, request, lists: readAdminLists(query) };
  return { kind: 'administer', from, request, items: readAdminChanges(query) };
}

/** The values of a submitted form; undefined if it is cancelled. */
function readValues(query: Element): Configure['values'] {
  const x = childNamed(query, 'x', ns.dataForm);
  if (!x) throw StanzaError.badRequest('a form or <destroy/> is missing');
  const form = ReceivedForm.fromElement(x);
  if (form.type === 'cancel') return undefined;
  if (form.type !== 'submit') throw StanzaError.badRequest('the form must be submitted or cancelled');
  if (form.fields.size > 0 && form.formType !== ns.mucRoomConfig) throw StanzaError.badRequest('this is another form');
  return form.fields;
}
