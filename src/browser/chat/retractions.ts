import { ns } from '../../protocol/namespaces.ts';
import { childOf, type XmlElement } from './element.ts';
import { type Conversation, hasId, type Message } from './state.ts';

/** The id of the message that a message takes back (XEP-0424). */
export function retractedId(stanza: XmlElement): string | undefined {
  return childOf(stanza, 'retract', ns.retraction)?.attributes['id'];
}

/** Whether the user can take a message back: one that was sent, and that others know by an id. */
export function isRetractable({ room }: Conversation, message: Message): boolean {
  const { mine, progress, isRetracted, retraction, corrects, archiveId, id, author } = message;
  const isSent = mine && ['sent', 'received', 'read'].includes(progress);
  if (!isSent || isRetracted || retraction !== undefined || corrects !== undefined) return false;
  if (!room) return id !== '';
  // Somebody else may have had the nickname before.
  return archiveId !== undefined && (author === undefined || author === (room.occupantId ?? author));
}

/** The id by which others know a message: in a room, the one that the room has given it (XEP-0424 §4). */
export function retractionId({ room }: Conversation, { id, archiveId }: Message): string {
  return room ? (archiveId ?? id) : id;
}

/** Takes the text of a message away, and what became of it. */
function retract(message: Message): void {
  message.isRetracted = true;
  message.text = '';
  message.outcomes = [];
}

/** The server has handled messages with these ids: what they take back is taken back. */
export function takeHandledRetractions({ messages }: Conversation, ids: readonly string[]): void {
  for (const message of messages) {
    if (message.retraction !== undefined && ids.includes(message.retraction) && !message.isRetracted) retract(message);
  }
}

/**
 * Takes a retraction of the author. In a room, messages have the ids of the room, and the room itself may take back those of others
 * (XEP-0425).
 */
export function takeRetraction(conversation: Conversation | undefined, id: string, author: Author): void {
  const { messages = [], room } = conversation ?? {};
  const found = messages.find((one) => (room ? one.archiveId === id : hasId(one, id)) && isAuthor(one, author));
  if (found) retract(found);
}

/** The sender of a retraction. */
interface Author {
  readonly from: string;
  readonly mine: boolean;
  /** In a room: the id of the author. */
  readonly occupant?: string | undefined;
  /** Whether it comes from the room itself. */
  readonly isRoom?: boolean;
}

/** Nicknames change hands, ids of occupants do not. */
function isAuthor(message: Message, { from, mine, occupant, isRoom }: Author): boolean {
  if (isRoom) return true;
  const isSame = message.author === undefined || occupant === undefined || message.author === occupant;
  return message.from === from && message.mine === mine && isSame;
}
