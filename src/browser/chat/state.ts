import { bareOf, localOf, resourceOf } from './address.ts';
import type { Rule } from './rules.ts';

/** What the server reported of a message. */
export interface Outcome {
  readonly text: string;
  /** Whether the message was not delivered. */
  readonly bad: boolean;
}

/** A file that a message shares. */
export interface SharedFile {
  readonly url: string;
  readonly name: string;
  /** Whether it is a picture on this server, which the page may show. */
  readonly picture: boolean;
}

/** The newest correction of a message (XEP-0308). */
interface Correction {
  readonly id: string;
  readonly atMs: number;
}

/** A message in a conversation. */
export interface Message {
  /** The newest id, if the user has sent it again. */
  id: string;
  /** The ids under which it was refused. */
  formerIds?: readonly string[];
  /** Its id in the archive. */
  archiveId: string | undefined;
  /** The nickname in a room; the bare address otherwise. */
  readonly from: string;
  readonly mine: boolean;
  /** In a room: the id of the author, which stays when the nickname changes (XEP-0421). */
  readonly author?: string | undefined;
  text: string;
  readonly file: SharedFile | undefined;
  atMs: number;
  readonly rules: readonly Rule[];
  /** Of a message of the user: the only device that is to get it. */
  readonly device?: string | undefined;
  /** Of a message of the user: how far it got. A lost one may have arrived: the session ended before the server acknowledged it. */
  progress: 'sending' | 'sent' | 'received' | 'read' | 'lost' | 'failed';
  outcomes: readonly Outcome[];
  correction?: Correction;
  /** Of a message that the user takes back: the id of the retraction. */
  retraction?: string;
  /** Whether its author, or a moderator, has taken it back. Its text is gone. */
  isRetracted?: boolean;
  /** Of a message of somebody else: whether the author wants to know that it was read (XEP-0333). */
  readonly isMarkable?: boolean;
  /** Of a correction that came before the message that it corrects: the id of that one. */
  readonly corrects?: string;
}

/** A device of a contact. */
interface Device {
  readonly show: string;
  readonly priority: number;
}

/** An entry of the roster, or the sender of a request. */
export interface Contact {
  readonly jid: string;
  name: string | undefined;
  subscription: string;
  /** Whether the user waits for the contact's approval. */
  asked: boolean;
  /** By resource. */
  readonly devices: Map<string, Device>;
}

/** Somebody in a room. */
interface Occupant {
  readonly role: string;
  readonly affiliation: string;
  readonly show: string;
}

/** A room that the user has entered or wants to enter. */
export interface Room {
  nick: string;
  state: 'entering' | 'inside' | 'outside';
  problem: string | undefined;
  subject: string;
  /** The id of the user in the room (XEP-0421). */
  occupantId?: string | undefined;
  readonly occupants: Map<string, Occupant>;
}

/** The messages with a contact, in a room, or with one occupant of a room. */
export interface Conversation {
  /** A bare address; the address in the room for an occupant. */
  readonly jid: string;
  readonly messages: Message[];
  unread: number;
  /** Whether the contact is writing. */
  composing: boolean;
  /** What the user has written and not sent. */
  draft: string;
  /** The id of the oldest entry of the archive that was read. */
  oldest: string | undefined;
  /** How much of its archive is here: none, the latest messages, everything. */
  history: 'none' | 'some' | 'all';
  readonly room: Room | undefined;
}

/** An invitation to a room. */
export interface Invitation {
  readonly room: string;
  readonly from: string;
  readonly reason: string;
}

/** Everything the page shows of an account. */
export interface ChatState {
  /** The bare address of the user. */
  me: string;
  readonly contacts: Map<string, Contact>;
  /** The addresses that ask for the user's presence. */
  readonly requests: Set<string>;
  readonly conversations: Map<string, Conversation>;
  readonly invitations: Map<string, Invitation>;
  /** The names that contacts, and the user, have given themselves (XEP-0172). */
  readonly names: Map<string, string>;
  /** The hashes of the pictures of contacts and of the user (XEP-0084). */
  readonly pictures: Map<string, string>;
  /** The ids in the archive of the newest messages that were read, by conversation (XEP-0490). */
  readonly displayed: Map<string, string>;
  /** The id of the newest message that came from the account's archive, or was put there. */
  newest: string | undefined;
}

export function emptyState(): ChatState {
  return {
    me: '',
    contacts: new Map(),
    requests: new Set(),
    conversations: new Map(),
    invitations: new Map(),
    names: new Map(),
    pictures: new Map(),
    displayed: new Map(),
    newest: undefined,
  };
}

/** The conversation with an address, which begins if there is none. */
export function conversationWith(state: ChatState, jid: string): Conversation {
  const found = state.conversations.get(jid);
  if (found) return found;
  const begun: Conversation = {
    ...{ jid, messages: [], unread: 0, composing: false, draft: '' },
    ...{ oldest: undefined, history: 'none', room: undefined },
  };
  state.conversations.set(jid, begun);
  return begun;
}

/** The room in which the conversation with this address is private (XEP-0045 §7.5); undefined for all other conversations. */
export function roomAround({ conversations }: Pick<ChatState, 'conversations'>, jid: string): Conversation | undefined {
  const around = resourceOf(jid) === '' ? undefined : conversations.get(bareOf(jid));
  return around?.room && around;
}

/** The name to show for a contact, a room or an occupant. */
export function nameOf(state: Pick<ChatState, 'contacts' | 'conversations' | 'me' | 'names'>, jid: string): string {
  if (jid === state.me) return 'You';
  if (roomAround(state, jid)) return resourceOf(jid);
  return state.contacts.get(jid)?.name || state.names.get(jid) || localOf(jid);
}

/** Whether a message, or its newest correction, has this id. */
export function hasId({ id, correction }: Message, wanted: string | undefined): boolean {
  return wanted !== undefined && wanted !== '' && (id === wanted || correction?.id === wanted);
}

/**
 * Adds a message at its place in time. A message that is there already is completed instead, and `undefined` returned: the archive has
 * messages that the page has sent or received before.
 */
export function addMessage(conversation: Conversation, message: Message): Message | undefined {
  const { messages } = conversation;
  const known = messages.find((other) => isSame(other, message));
  if (known) {
    known.archiveId ??= message.archiveId;
    if (known.progress === 'sending' || known.progress === 'lost') known.progress = message.progress;
    return undefined;
  }
  insert(messages, message);
  return message;
}

/** A message of the user that is sent again: it becomes the last one. */
export function moveToEnd({ messages }: Conversation, message: Message, nowMs: number): void {
  messages.splice(messages.indexOf(message), 1);
  message.atMs = nowMs;
  insert(messages, message);
}

function insert(messages: Message[], message: Message): void {
  let place = messages.length;
  while (place > 0 && (messages[place - 1]?.atMs ?? 0) > message.atMs) place--;
  messages.splice(place, 0, message);
}

function isSame(one: Message, other: Message): boolean {
  if (one.archiveId !== undefined && other.archiveId !== undefined) return one.archiveId === other.archiveId;
  const isNamed = one.id !== '' && [one.id, ...(one.formerIds ?? [])].includes(other.id);
  return isNamed && one.mine === other.mine && one.from === other.from;
}

/** Messages of one conversation that a reload of the page keeps; older ones come from the archive again. */
const keptMessages = 100;

/** The state as a text, for the reload of the page. */
export function saveState(state: ChatState): string {
  return JSON.stringify(state, (key, value: unknown) => {
    if (value instanceof Map) return { map: [...value] };
    if (value instanceof Set) return { set: [...value] };
    return key === 'messages' && Array.isArray(value) ? value.slice(-keptMessages) : value;
  });
}

/** Reads what `saveState` has written. Throws for anything that is no JSON. */
export function restoreState(text: string): ChatState {
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  const restored: Partial<ChatState> = JSON.parse(text, (_key, value: unknown) => {
    if (isObject(value) && Array.isArray(value['map'])) return new Map(value['map']);
    if (isObject(value) && Array.isArray(value['set'])) return new Set(value['set']);
    return value;
  });
  const state = { ...emptyState(), ...restored };
  for (const conversation of state.conversations.values()) {
    conversation.composing = false;
    if (conversation.messages.length < keptMessages) continue;
    // Older messages than these are only in the archive.
    if (conversation.history === 'all') conversation.history = 'some';
    conversation.oldest = conversation.messages.find(({ archiveId }) => archiveId !== undefined)?.archiveId;
  }
  return state;
}
