import { ns } from '../../protocol/namespaces.ts';
import { bareOf, domainOf } from './address.ts';
import { childOf, type XmlElement } from './element.ts';
import { failureText, removalFailureText, reportOf } from './outcomes.ts';
import { type ChatState, hasId, type Message, nameOf, type Outcome } from './state.ts';

/** Takes an error that answers a message of the user. Returns whether the stanza was an error. */
export function takeFailure(state: ChatState, stanza: XmlElement): boolean {
  const { id, type } = stanza.attributes;
  if (type !== 'error') return false;
  const sent = answeredMessage(state, stanza, (message) => hasId(message, id));
  if (sent) fail(sent.message, id, failureText(stanza, nameOf(state, sent.recipient)));
  const retracted = sent ? undefined : answeredMessage(state, stanza, ({ retraction }) => retraction === id);
  if (retracted) {
    const { message, recipient } = retracted;
    const name = nameOf(state, recipient);
    addOutcome(message, { text: removalFailureText(stanza, name, message.isRetracted === true), bad: true });
    delete message.retraction;
  }
  return true;
}

function fail(message: Message, id: string | undefined, text: string): void {
  message.progress = 'failed';
  // Nobody knows a message whose first text was refused, so a correction alone would not repair it.
  if (message.id === id) delete message.correction;
  addOutcome(message, { text, bad: true });
}

/** Takes a report of AMP. Returns whether the message was one. */
export function takeReport(state: ChatState, stanza: XmlElement): boolean {
  if (childOf(stanza, 'amp', ns.amp)?.attributes['status'] === undefined) return false;
  const { id } = stanza.attributes;
  const found = answeredMessage(state, stanza, (message) => hasId(message, id));
  const outcome = found && reportOf(stanza, nameOf(state, found.recipient));
  if (!found || !outcome) return true;
  if (outcome.bad) found.message.progress = 'failed';
  addOutcome(found.message, outcome);
  return true;
}

function addOutcome(message: Message, outcome: Outcome): void {
  if (message.outcomes.some(({ text }) => text === outcome.text)) return;
  message.outcomes = [...message.outcomes, outcome];
}

/**
 * The message of the user that a report or an error is about: one that fits, to the address that it comes from. The server of the recipient
 * may speak, too, and the server of the user.
 */
function answeredMessage(
  state: ChatState,
  about: XmlElement,
  fits: (message: Message) => boolean,
): { message: Message; recipient: string } | undefined {
  const { id, from = state.me } = about.attributes;
  if (id === undefined) return undefined;
  const sender = bareOf(from);
  for (const { jid, messages } of state.conversations.values()) {
    if (![bareOf(jid), domainOf(jid), domainOf(state.me), state.me].includes(sender)) continue;
    const message = messages.find((one) => one.mine && fits(one));
    if (message) return { message, recipient: jid };
  }
  return undefined;
}
