import { ReceivedForm } from '../protocol/data-form.ts';
import type { Jid } from '../protocol/jid.ts';
import { readAdminChanges, readAdminLists } from '../protocol/muc/admin-items.ts';
import { readDeclination, readInvitations } from '../protocol/muc/invitation.ts';
import { readJoinRequest } from '../protocol/muc/join-request.ts';
import { readRegistration } from '../protocol/muc/registration.ts';
import { readRoomVcard } from '../protocol/muc/room-vcard.ts';
import { readDestruction } from '../protocol/muc/user-element.ts';
import { readVoiceForm } from '../protocol/muc/voice-request.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { readModeration } from '../protocol/retraction.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { messageType } from '../protocol/stanza-rules.ts';
import { childNamed, type Element } from '../xml/element.ts';
import type { Configure, Enter, Moderate, Post, RoomCommand, UnaskedCommand } from './room/command.ts';

/** A command without the parts that the owner of the room adds when it takes the command. */
type Unfinished<Command> = Command extends Enter
  ? Omit<Command, 'nowMs' | 'creation'>
  : Command extends Post | Moderate
    ? Omit<Command, 'nowMs' | 'archive' | 'target'>
    : Omit<Command, 'nowMs'>;

/** A command of a client, as far as its stanza says it. */
export type Wish = Unfinished<Exclude<RoomCommand, UnaskedCommand>>;

/** Reads a presence to a room or an occupant; undefined if it means nothing. Throws StanzaError. */
export function readPresence(presence: Stanza, from: Jid, to: Jid): Wish | undefined {
  switch (presence.type) {
    case undefined:
      return readAvailable(presence, from, to);
    case 'unavailable':
      return { kind: 'leave', from, presence };
    case 'error':
      return readFailure(presence, from);
    case 'probe':
      return { kind: 'probe', from, nick: to.resource };
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

/** Reads a message to a room or an occupant; undefined if it means nothing. Throws StanzaError. */
export function readMessage(message: Stanza, from: Jid, to: Jid): Wish | undefined {
  const type = messageType(message);
  if (type === 'error') return readFailure(message, from);
  if (!to.isBare) {
    if (type === 'groupchat') throw StanzaError.badRequest('a message to everybody goes to the room');
    return { kind: 'send-privately', from, nick: to.resource, message };
  }
  if (type === 'groupchat')
    return { kind: 'post', from, message: message.id ? message : message.with({ id: randomId() }) };
  return readInvitation(message, from) ?? readVoice(message, from);
}

function readInvitation({ payload }: Stanza, from: Jid): Wish | undefined {
  const child = payload.find('x', ns.mucUser);
  if (!child) return undefined;
  const x = payload.element(child);
  const invitations = readInvitations(x);
  if (invitations.length > 0) return { kind: 'invite', from, invitations };
  const declination = readDeclination(x);
  return declination && { kind: 'decline', from, declination };
}

function readVoice({ payload }: Stanza, from: Jid): Wish {
  const child = payload.find('x', ns.dataForm);
  const form = child && ReceivedForm.fromElement(payload.element(child));
  if (form?.formType !== ns.mucRequest || form.type !== 'submit')
    throw StanzaError.badRequest('messages to a room have the type groupchat');
  const voice = readVoiceForm(form);
  return voice === 'request' ? { kind: 'request-voice', from } : { kind: 'answer-voice', from, voice };
}

/** Reads an error from a client, which says whether the room can reach it. */
function readFailure(stanza: Stanza, from: Jid): Wish | undefined {
  const child = stanza.payload.find('error', ns.client);
  if (!child) return undefined;
  return { kind: 'report-failure', from, id: stanza.id, error: StanzaError.fromElement(stanza.payload.element(child)) };
}

/** Reads an iq to a room or an occupant; undefined if it means nothing. Throws StanzaError. */
export function readRequest(request: Stanza, from: Jid, to: Jid): Wish | undefined {
  const isRequest = request.type === 'get' || request.type === 'set';
  if (!to.isBare)
    return isRequest
      ? { kind: 'ask', from, nick: to.resource, request, id: randomId() }
      : { kind: 'reply', from, answered: request };
  const [child] = request.payload.children;
  if (!isRequest || !child) return undefined;
  const moderation = request.type === 'set' ? readModeration(request.payload) : undefined;
  if (moderation) return { kind: 'moderate', from, request, ...moderation };
  if (child.name === 'vCard' && child.ns === ns.vcard && request.type === 'set')
    return { kind: 'set-vcard', from, request, vcard: readRoomVcard(request.payload.element(child)) };
  if (child.name !== 'query') return undefined;
  const query = request.payload.element(child);
  switch (child.ns) {
    case ns.mucAdmin:
      return readAdministration(request, from, query);
    case ns.mucOwner:
      return readOwnerRequest(request, from, query);
    case ns.register:
      if (request.type === 'get') return { kind: 'read-registration', from, request };
      return { kind: 'register', from, request, wanted: readRegistration(query) };
    default:
      return undefined;
  }
}

function readOwnerRequest(request: Stanza, from: Jid, query: Element): Wish {
  if (request.type === 'get') return { kind: 'read-config', from, request };
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
