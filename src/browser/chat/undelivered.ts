import { type ChatState, type Conversation, type Message, moveToEnd } from './state.ts';

/** Whether a message of the user has not reached its recipient, as far as the page knows. */
export function isUndelivered({ progress, isRetracted }: Message): boolean {
  return (progress === 'failed' || progress === 'lost') && !isRetracted;
}

/** Whether the user can send a message again: it was not delivered, and no rule of it says that it would be too late. */
export function canSendAgain(message: Message, nowMs: number): boolean {
  const isLate = message.rules.some(
    ({ condition, action, value }) => condition === 'expire-at' && action !== 'notify' && Date.parse(value) <= nowMs,
  );
  return message.mine && isUndelivered(message) && !isLate;
}

/** The messages that wait for the server or were not delivered. */
export function countUnsent({ conversations }: Pick<ChatState, 'conversations'>): number {
  const messages = [...conversations.values()].flatMap((conversation) => conversation.messages);
  return messages.filter((message) => message.progress === 'sending' || message.progress === 'lost').length;
}

/** The session has ended for good: the server may not have got what it has not acknowledged. */
export function loseUnsent({ conversations }: ChatState): void {
  for (const { messages } of conversations.values()) {
    for (const message of messages) if (message.progress === 'sending') message.progress = 'lost';
  }
}

/** The conversations of a state with only those messages that were not delivered: what the archive does not have. */
export function undeliveredIn({ conversations }: Pick<ChatState, 'conversations'>): Map<string, Conversation> {
  const found = new Map<string, Conversation>();
  for (const [jid, conversation] of conversations) {
    const messages = conversation.messages.filter(isUndelivered);
    if (messages.length > 0)
      found.set(jid, { ...conversation, messages, unread: 0, oldest: undefined, history: 'none' });
  }
  return found;
}

/**
 * Gives a message the id under which it is sent again. A refused one needs another id. One that may have arrived keeps its own: whoever
 * gets it twice shows it once. A corrected message stays in its place.
 */
export function renew(conversation: Conversation, message: Message, freshId: string, nowMs: number): string {
  const { id, progress, correction } = message;
  const isRefused = progress === 'failed';
  message.progress = 'sending';
  message.outcomes = [];
  if (correction) {
    message.correction = { id: isRefused ? freshId : correction.id, atMs: nowMs };
    return message.correction.id;
  }
  if (isRefused) {
    message.formerIds = [...(message.formerIds ?? []), id];
    message.id = freshId;
  }
  moveToEnd(conversation, message, nowMs);
  return message.id;
}
