import { h, icon } from './dom.ts';
import { reachable } from './files.ts';
import { textParts } from './links.ts';
import { ruleText } from './rules.ts';
import type { Message, SharedFile } from './state.ts';

/** A message and its place in the log. */
export interface ShownMessage {
  readonly message: Message;
  /** The name of its author, where it is not clear. */
  readonly author: string | undefined;
  /** The day that begins with it. */
  readonly day: string | undefined;
  /** Whether the message before it has the same author. */
  readonly follows: boolean;
  /** Whether the user can correct it. */
  readonly isCorrectable: boolean;
}

/** What decides how messages are shown. */
interface LogContext {
  /** The name for an author; undefined where only two people talk. */
  readonly nameFor: ((from: string) => string) | undefined;
  /** The message that the user can correct. */
  readonly correctable: Message | undefined;
}

/** What the view of a message needs. */
interface MessageDeps {
  /** The origins of the files of this server. */
  readonly origins: readonly string[];
  /** The user wants to correct the message. */
  readonly correct: () => void;
}

/** The days and authors of the messages of a conversation. */
export function shownMessages(messages: readonly Message[], { nameFor, correctable }: LogContext): ShownMessage[] {
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const isNewDay = !before || dayOf(before.atMs) !== dayOf(message.atMs);
    const follows = !isNewDay && before.from === message.from && before.mine === message.mine;
    return {
      message,
      author: nameFor && !message.mine && !follows ? nameFor(message.from) : undefined,
      day: isNewDay ? dayOf(message.atMs) : undefined,
      follows,
      isCorrectable: message === correctable,
    };
  });
}

/** Identifies a message for as long as the page is open. */
export function messageKey({ message }: ShownMessage): string {
  return `${message.from} ${message.id === '' ? (message.archiveId ?? message.atMs) : message.id}`;
}

/** Changes when the message has to be drawn again. */
export function messageSignature({ message, author, day, follows, isCorrectable }: ShownMessage): string {
  const { progress, outcomes, text, correction } = message;
  return JSON.stringify([progress, outcomes, text, correction, author, day, follows, isCorrectable]);
}

/** The element for a message: its text or picture, when it was sent, its rules and what became of it. */
export function messageView(shown: ShownMessage, { origins, correct }: MessageDeps): HTMLElement {
  const { message, author, day, follows, isCorrectable } = shown;
  const { mine, progress, rules, outcomes } = message;
  const correctButton =
    isCorrectable &&
    h(
      'button',
      { class: 'correct', title: 'Correct', on: { click: correct } },
      icon('edit'),
      h('span', { class: 'spoken' }, 'Correct'),
    );
  return h(
    'div',
    { class: `message${mine ? ' mine' : ''}${follows ? ' follows' : ''}` },
    day !== undefined && h('p', { class: 'day' }, h('span', {}, day)),
    author !== undefined && h('p', { class: 'author' }, author),
    h(
      'div',
      { class: `bubble${progress === 'failed' ? ' failed' : ''}` },
      ...content(message, origins),
      meta(message, correctButton),
    ),
    rules.length > 0 &&
      h('ul', { class: 'rules', 'aria-label': 'Rules' }, ...rules.map((rule) => h('li', {}, ruleText(rule)))),
    ...outcomes.map(({ text, bad }) => h('p', { class: `outcome ${bad ? 'bad' : 'good'}` }, text)),
  );
}

function content({ file, text }: Message, origins: readonly string[]): HTMLElement[] {
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
  failed: ['!', 'not delivered'],
} as const;

function meta(
  { atMs, mine, progress, correction, corrects }: Message,
  correctButton: HTMLElement | false,
): HTMLElement {
  const time = new Date(atMs).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  const [sign, words] = progressSigns[progress];
  return h(
    'p',
    { class: 'meta' },
    (correction !== undefined || corrects !== undefined) && h('span', {}, 'corrected'),
    h('time', { datetime: new Date(atMs).toISOString() }, time),
    ...(mine
      ? [h('span', { class: 'sign', 'aria-hidden': 'true', title: words }, sign), h('span', { class: 'spoken' }, words)]
      : []),
    correctButton,
  );
}

function dayOf(atMs: number): string {
  const [then, now] = [new Date(atMs), new Date()];
  if (then.toDateString() === now.toDateString()) return 'Today';
  const isThisYear = then.getFullYear() === now.getFullYear();
  const year = isThisYear ? {} : ({ year: 'numeric' } as const);
  return then.toLocaleDateString(undefined, { weekday: 'long', day: 'numeric', month: 'long', ...year });
}
