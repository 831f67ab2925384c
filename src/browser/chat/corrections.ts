import { ns } from '../../protocol/namespaces.ts';
import { childOf, el, type XmlElement } from './element.ts';
import { type Conversation, hasId, type Message } from './state.ts';
import { isUndelivered } from './undelivered.ts';

/** The id of the message that a message corrects (XEP-0308). */
export function correctedId(stanza: XmlElement): string | undefined {
  return childOf(stanza, 'replace', ns.correction)?.attributes['id'];
}

/** The element that makes a message a correction. */
export function correctionElement(id: string): XmlElement {
  return el(ns.correction, 'replace', { id });
}

/**
 * Puts a correction in the place of its message. Returns false if that is not here, such as one that is older than what was read of the
 * archive.
 */
export function takeCorrection({ messages }: Conversation, id: string, correction: Message): boolean {
  const message = messages.find((one) => one.corrects === undefined && one.id === id && isBySame(one, correction));
  if (message) applyCorrection(message, correction);
  return message !== undefined;
}

/** Puts a correction that came earlier in the place of its message. */
export function takeEarlierCorrection({ messages }: Conversation, message: Message): void {
  const index = messages.findIndex((one) => hasId(message, one.corrects) && isBySame(one, message));
  const [correction] = index === -1 ? [] : messages.splice(index, 1);
  if (correction) applyCorrection(message, correction);
}

/** The last message of the user, which a client may correct, if it is a text that was sent without rules. */
export function correctable({ messages }: Conversation): Message | undefined {
  const last = messages.findLast(({ mine }) => mine);
  if (!last || last.isRetracted || last.retraction !== undefined || isUndelivered(last)) return undefined;
  const isPlain = !last.file && last.rules.length === 0 && last.id !== '' && last.corrects === undefined;
  return isPlain ? last : undefined;
}

/** An older one may come from the archive after a newer one. */
function applyCorrection(message: Message, { id, atMs, text, progress }: Message): void {
  const isWaiting = message.progress === 'sending' || message.progress === 'lost';
  if (message.correction?.id === id && isWaiting) message.progress = progress;
  if (message.isRetracted || (message.correction && message.correction.atMs >= atMs)) return;
  message.text = text;
  message.correction = { id, atMs };
}

/** Nicknames change hands, ids of occupants do not. */
function isBySame(one: Message, other: Message): boolean {
  const isSameAuthor = one.author === undefined || other.author === undefined || one.author === other.author;
  return one.mine === other.mine && one.from === other.from && isSameAuthor;
}
