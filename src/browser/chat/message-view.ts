import { clockText, dayKey, dayText, momentText } from './dates.ts';
import { h, icon } from './dom.ts';
import { reachable } from './files.ts';
import { textParts } from './links.ts';
import { ruleText } from './rules.ts';
import type { Message, SharedFile } from './state.ts';
import { canSendAgain, isUndelivered } from './undelivered.ts';

/** A message and its place in the log. */
export interface ShownMessage {
  readonly message: Message;
  /** The name of its author, where it is not clear. */
  readonly author: string | undefined;
  /** The day that begins with it. */
  readonly day: string | undefined;
  /** Whether the message before it has the same author. */
  readonly follows: boolean;
  /** Whether the user has not seen it, nor those after it. */
  readonly isFirstNew: boolean;
  /** Whether the user can correct it. */
  readonly isCorrectable: boolean;
  /** Whether the user can take it back. */
  readonly isRetractable: boolean;
  /** Whether it is the last one that the user can take back. */
  readonly isLastRetractable: boolean;
  /** Whether the user can send it again. */
  readonly isSendable: boolean;
}

/** What decides how messages are shown. */
interface LogContext {
  /** The name for an author; undefined where only two people talk. */
  readonly nameFor: ((from: string) => string) | undefined;
  /** The message that the user can correct. */
  readonly correctable: Message | undefined;
  /** Whether the user can take a message back. */
  readonly isRetractable: (message: Message) => boolean;
  /** The first message that the user had not seen when the conversation was opened. */
  readonly firstNew: Message | undefined;
  readonly nowMs: number;
}

/** What the view of a message needs. */
interface MessageDeps {
  /** The origins of the files of this server. */
  readonly origins: readonly string[];
  /** The user wants to correct the message. */
  readonly correct: () => void;
  /** The user wants to take the message back. */
  readonly retract: () => void;
  /** The user wants to send the message again. */
  readonly sendAgain: () => void;
}

/** The days and authors of the messages of a conversation. */
export function shownMessages(messages: readonly Message[], context: LogContext): ShownMessage[] {
  const { nameFor, correctable, isRetractable, firstNew, nowMs } = context;
  const lastRetractable = messages.findLast(isRetractable);
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const isNewDay = !before || dayKey(before.atMs) !== dayKey(message.atMs);
    const isFirstNew = message === firstNew;
    const follows = !isNewDay && !isFirstNew && before.from === message.from && before.mine === message.mine;
    return {
      message,
      author: nameFor && !message.mine && !follows ? nameFor(message.from) : undefined,
      day: isNewDay ? dayText(message.atMs, nowMs) : undefined,
      follows,
      isFirstNew,
      isCorrectable: message === correctable,
      isRetractable: isRetractable(message),
      isLastRetractable: message === lastRetractable,
      isSendable: canSendAgain(message, nowMs),
    };
  });
}

/** Identifies a message for as long as the page is open. */
export function messageKey({ message }: ShownMessage): string {
  return `${message.from} ${message.id === '' ? (message.archiveId ?? message.atMs) : message.id}`;
}

/** Changes when the message has to be drawn again. */
export function messageSignature({ message, ...place }: ShownMessage): string {
  const { progress, outcomes, text, correction, retraction, isRetracted } = message;
  return JSON.stringify([progress, outcomes, text, correction, retraction, isRetracted, place]);
}

/** The element for a message: its text or picture, when it was sent, its rules and what became of it. */
export function messageView(shown: ShownMessage, { origins, correct, retract, sendAgain }: MessageDeps): HTMLElement {
  const { message, author, day, follows, isFirstNew, isLastRetractable } = shown;
  const { mine, progress, rules, outcomes, isRetracted } = message;
  return h(
    'div',
    // A tap on the message shows its buttons.
    { class: `message${mine ? ' mine' : ''}${follows ? ' follows' : ''}`, tabindex: mine && '-1' },
    day !== undefined && h('p', { class: 'day' }, day),
    isFirstNew && h('p', { class: 'new-line' }, h('span', {}, 'New messages')),
    author !== undefined && h('p', { class: 'author', dir: 'auto' }, author),
    h(
      'div',
      { class: `bubble${isUndelivered(message) ? ' failed' : ''}` },
      ...content(message, origins),
      meta(
        message,
        shown.isCorrectable && tool('edit', 'Correct', correct),
        shown.isRetractable && tool('remove', 'Remove', retract, !isLastRetractable),
      ),
    ),
    rules.length > 0 &&
      !isRetracted &&
      h('ul', { class: 'rules', 'aria-label': 'Rules' }, ...rules.map((rule) => h('li', {}, ruleText(rule)))),
    progress === 'lost' && h('p', { class: 'outcome bad' }, 'Not sent: the session ended first.'),
    ...outcomes.map(({ text, bad }) => h('p', { class: `outcome ${bad ? 'bad' : 'good'}` }, text)),
    shown.isSendable && againButton(message, sendAgain),
  );
}

/** The button that sends a message again. Screen readers, which may list it alone, read what it sends. */
function againButton({ file, text }: Message, click: () => void): HTMLElement {
  const label = `Send again: ${file?.name ?? text.slice(0, 120)}`;
  const props = { class: 'second small again', title: 'Send again', 'aria-label': label, on: { click } };
  return h('button', props, 'Send again');
}

/** A button beside the time of a message. A tucked one is shown to those who point at its message, or come there with the arrow keys. */
function tool(picture: 'edit' | 'remove', words: string, click: () => void, isTucked = false): HTMLElement {
  const place = isTucked ? { class: 'small-tool tucked', tabindex: '-1' } : { class: 'small-tool' };
  return h('button', { ...place, title: words, on: { click } }, icon(picture), h('span', { class: 'spoken' }, words));
}

function content({ file, text, isRetracted }: Message, origins: readonly string[]): HTMLElement[] {
  if (isRetracted) return [h('p', { class: 'text gone' }, 'This message was removed.')];
  if (!file) return [h('p', { class: 'text', dir: 'auto' }, ...textParts(text).map(partView))];
  return [file.picture ? pictureView(file, origins) : fileView(file, origins)];
}

function partView({ text, href }: { readonly text: string; readonly href: string | undefined }): Node | string {
  return href === undefined ? text : h('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, text);
}

function pictureView({ url, name }: SharedFile, origins: readonly string[]): HTMLElement {
  const src = reachable(url, origins, location);
  const picture = h('img', { src, alt: `Picture: ${name}`, class: 'picture' });
  return h('a', { href: src, target: '_blank', rel: 'noopener noreferrer' }, picture);
}

function fileView({ url, name }: SharedFile, origins: readonly string[]): HTMLElement {
  const href = reachable(url, origins, location);
  return h('p', { class: 'text' }, h('a', { href, target: '_blank', rel: 'noopener noreferrer nofollow' }, name));
}

/** How far a message of the user got: a sign to see, and words to hear. */
const progressSigns = {
  sending: ['◌', 'being sent'],
  sent: ['✓', 'sent'],
  received: ['✓✓', 'received'],
  read: ['✓✓', 'read'],
  lost: ['!', 'not sent'],
  failed: ['!', 'not delivered'],
} as const;

function meta(message: Message, ...tools: (HTMLElement | false)[]): HTMLElement {
  const { atMs, mine, progress, correction, corrects, retraction, isRetracted } = message;
  const [sign, words] = progressSigns[progress];
  return h(
    'p',
    { class: 'meta' },
    retraction !== undefined && !isRetracted && h('span', {}, 'removing …'),
    (correction !== undefined || corrects !== undefined) && !isRetracted && h('span', {}, 'corrected'),
    h('time', { datetime: new Date(atMs).toISOString(), title: momentText(atMs) }, clockText(atMs)),
    ...(mine && !isRetracted
      ? [
          h('span', { class: `sign ${progress}`, 'aria-hidden': 'true', title: words }, sign),
          h('span', { class: 'spoken' }, words),
        ]
      : []),
    ...tools,
  );
}
