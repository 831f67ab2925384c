import { ns } from '../../protocol/namespaces.ts';
import { bareOf, resourceOf } from './address.ts';
import { childOf, elementsOf, textOf, type XmlElement } from './element.ts';
import { type ChatState, type Contact, type Conversation, type Room, roomAround } from './state.ts';
import { conditionOf } from './stream.ts';

/** Takes a presence stanza: of a contact, or of a room. */
export function takePresence(state: ChatState, stanza: XmlElement): void {
  const { from = '', type } = stanza.attributes;
  const jid = bareOf(from);
  const conversation = state.conversations.get(jid);
  if (conversation?.room) return takeOccupant(conversation, conversation.room, stanza);
  if (type === 'subscribe') return void state.requests.add(jid);
  if (type === 'unsubscribe') return void state.requests.delete(jid);
  const contact = state.contacts.get(jid);
  if (!contact) return;
  const resource = resourceOf(from);
  if (type === undefined) contact.devices.set(resource, { show: showOf(stanza), priority: priorityOf(stanza) });
  else if (type === 'unavailable' || type === 'error') contact.devices.delete(resource);
  if (conversation && contact.devices.size === 0) conversation.composing = false;
}

/** How a contact can be reached. */
export function availabilityOf(contact: Contact | undefined): 'online' | 'away' | 'offline' {
  const shows = [...(contact?.devices.values() ?? [])].map(({ show }) => show);
  if (shows.length === 0) return 'offline';
  return shows.some((show) => show === '' || show === 'chat') ? 'online' : 'away';
}

/** Whether an address is that of an occupant who is in the room now. */
export function isInRoom(state: ChatState, jid: string): boolean {
  return roomAround(state, jid)?.room?.occupants.has(resourceOf(jid)) ?? false;
}

/** Takes the roster as a whole, or what has changed of it (RFC 6121 §2). */
export function takeRoster(state: ChatState, query: XmlElement | undefined, isWhole: boolean): void {
  const items = elementsOf(query).filter(({ name }) => name === 'item');
  if (isWhole) {
    const listed = new Set(items.map(({ attributes }) => attributes['jid']));
    for (const jid of state.contacts.keys()) if (!listed.has(jid)) state.contacts.delete(jid);
  }
  for (const { attributes } of items) takeItem(state, attributes);
}

function takeItem(state: ChatState, { jid = '', name, subscription = 'none', ask }: XmlElement['attributes']): void {
  if (subscription === 'remove') return void state.contacts.delete(jid);
  const devices = state.contacts.get(jid)?.devices ?? new Map();
  state.contacts.set(jid, { jid, name, subscription, asked: ask === 'subscribe', devices });
  if (subscription === 'both' || subscription === 'from') state.requests.delete(jid);
}

function takeOccupant({ jid }: Conversation, room: Room, stanza: XmlElement): void {
  const { from = '', type } = stanza.attributes;
  const nick = resourceOf(from);
  const user = childOf(stanza, 'x', ns.mucUser);
  const codes = elementsOf(user).flatMap(({ name, attributes }) => (name === 'status' ? [attributes['code']] : []));
  const isMe = codes.includes('110') || nick === room.nick;
  if (type === 'error') return takeRefusal(room, stanza);
  const item = childOf(user, 'item', ns.mucUser);
  if (type === 'unavailable') {
    room.occupants.delete(nick);
    const renamed = codes.includes('303') ? item?.attributes['nick'] : undefined;
    if (isMe && renamed !== undefined) room.nick = renamed;
    else if (isMe) leave(room, codes, jid);
    return;
  }
  if (type !== undefined) return;
  const { role = 'none', affiliation = 'none' } = item?.attributes ?? {};
  room.occupants.set(nick, { role, affiliation, show: showOf(stanza) });
  if (!isMe) return;
  room.occupantId = childOf(stanza, 'occupant-id', ns.occupantId)?.attributes['id'];
  room.nick = nick;
  room.state = 'inside';
  room.problem = undefined;
}

/** Why the user is not in a room any more. */
const departures: Readonly<Record<string, string>> = {
  '301': 'You were banned from this room.',
  '307': 'You were removed from this room.',
  '321': 'You are no longer a member of this room.',
  '322': 'This room is for members only now.',
};

function leave(room: Room, codes: readonly (string | undefined)[], jid: string): void {
  room.state = 'outside';
  room.occupants.clear();
  const code = codes.find((one) => one !== undefined && Object.hasOwn(departures, one));
  room.problem = departures[code ?? ''] ?? `You are not in ${jid}.`;
}

/** Why a room does not let the user in. */
const refusals: Readonly<Record<string, string>> = {
  conflict: 'Somebody else has this nickname.',
  forbidden: 'You are banned from this room.',
  'item-not-found': 'This room is not open yet.',
  'not-allowed': 'You may not create a room here.',
  'not-authorized': 'This room needs a password.',
  'registration-required': 'This room is for members only.',
  'remote-server-not-found': 'There is no such server.',
  'service-unavailable': 'This room is full, or there are no rooms at this address.',
};

function takeRefusal(room: Room, stanza: XmlElement): void {
  const error = childOf(stanza, 'error', ns.client);
  const condition = conditionOf(error, ns.stanzaErrors) ?? 'unknown error';
  room.state = 'outside';
  room.occupants.clear();
  room.problem = refusals[condition] ?? `The room does not let you in: ${condition}.`;
}

function showOf(stanza: XmlElement): string {
  return textOf(childOf(stanza, 'show', ns.client));
}

function priorityOf(stanza: XmlElement): number {
  return Number(textOf(childOf(stanza, 'priority', ns.client))) || 0;
}
