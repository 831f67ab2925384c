import type { Client } from './client.ts';
import { Composer, type Written } from './composer.ts';
import { ConversationMenu } from './conversation-menu.ts';
import { correctable } from './corrections.ts';
import { ask } from './dialogs.ts';
import { DrawnList, h, icon, iconButton, setText } from './dom.ts';
import { messageKey, messageSignature, messageView, type ShownMessage, shownMessages } from './message-view.ts';
import { availabilityOf, isInRoom } from './presence.ts';
import { firstUnread } from './read-marks.ts';
import { isRetractable } from './retractions.ts';
import { avatar } from './sidebar.ts';
import { type Conversation, conversationWith, type Message, nameOf, roomAround } from './state.ts';

/** Dependencies of the view of a conversation. */
interface ConversationDeps {
  readonly client: Client;
  readonly jid: string;
  readonly domain: string;
  readonly origins: readonly string[];
  /** Goes back to the list, on a narrow screen. */
  readonly back: () => void;
  /** Opens another conversation. */
  readonly open: (jid: string) => void;
}

/** Pixels from the end of the log within which it follows new messages. */
const nearEnd = 80;
/** Pixels from the beginning of the log within which earlier messages are read. */
const nearBeginning = 300;

/** The messages with a contact or in a room. */
export class ConversationView {
  readonly element: HTMLElement;
  readonly jid: string;
  readonly #deps: ConversationDeps;
  readonly #name = h('h2', { tabindex: '-1' });
  readonly #status = h('p', { class: 'status' });
  readonly #picture = h('span', { class: 'picture-place' });
  readonly #menu: ConversationMenu;
  readonly #notice = h('p', { class: 'notice', role: 'status', hidden: true });
  readonly #older = h('button', { class: 'second small older', hidden: true }, 'Show earlier messages');
  readonly #empty = h('p', { class: 'quiet empty', hidden: true });
  readonly #latestText = h('span', {}, 'Latest messages');
  readonly #latest = h('button', { class: 'latest', hidden: true }, icon('down'), this.#latestText);
  readonly #log = h('div', { class: 'log', role: 'log', 'aria-label': 'Messages', tabindex: '0' });
  readonly #list: DrawnList<ShownMessage>;
  readonly #composer: Composer;
  #drawnPicture = '';
  /** The message that the user corrects. */
  #corrected: Message | undefined;
  /** The first message that the user has not seen yet. */
  #firstNew: Message | undefined;
  #isAtEnd = true;
  /** The last message that the user has seen at the end of the log. */
  #lastSeen: Message | undefined;
  #isReading = false;

  constructor(deps: ConversationDeps) {
    this.#deps = deps;
    this.jid = deps.jid;
    const messages = h('div', { class: 'messages' });
    this.#list = new DrawnList(messages, {
      key: messageKey,
      signature: messageSignature,
      draw: (shown) =>
        messageView(shown, {
          origins: deps.origins,
          correct: () => this.#correct(),
          retract: () => this.#askToRetract(shown.message),
          sendAgain: () => this.#sendAgain(shown.message),
        }),
    });
    this.#older.addEventListener('click', () => void this.#readBack());
    this.#latest.addEventListener('click', () => this.#toEnd());
    this.#log.append(this.#older, this.#empty, messages);
    this.#log.addEventListener('scroll', () => this.#scrolled());
    this.#log.addEventListener('keydown', (event) => this.#pressed(event));
    // A picture has loaded, the screen was turned, or the rules need room.
    const resized = new ResizeObserver(() => this.#follow());
    for (const element of [this.#log, messages]) resized.observe(element);
    this.#menu = new ConversationMenu(deps);
    this.#composer = new Composer({
      send: (written) => this.#send(written),
      share: (file) => deps.client.sender.share(this.#conversation, file),
      composing: (state) => deps.client.sender.compose(this.#conversation, state),
      draft: (text) => {
        this.#conversation.draft = text;
      },
      correct: () => this.#correct(),
      cancel: () => {
        this.#corrected = undefined;
      },
    });
    const back = iconButton('back', 'Back', deps.back);
    back.classList.add('back');
    this.element = h(
      'main',
      { class: 'conversation' },
      h('header', {}, back, this.#picture, h('div', { class: 'who' }, this.#name, this.#status), this.#menu.element),
      this.#notice,
      h('div', { class: 'log-place' }, this.#log, this.#latest),
      this.#composer.element,
    );
    for (const event of ['click', 'focusin'])
      this.element.addEventListener(event, ({ target }) => this.#menu.closeUnless(target));
    this.#composer.restore(this.#conversation.draft);
    this.markNew();
  }

  /** Puts the focus where the user can write; on a screen for fingers, this would open the keyboard over the messages. */
  focus(): void {
    if (matchMedia('(pointer: coarse)').matches) this.#name.focus();
    else this.#composer.focus();
  }

  /** Marks what the user has not seen, before it counts as read. */
  markNew(): void {
    this.#firstNew = firstUnread(this.#conversation) ?? this.#firstNew;
  }

  update(): void {
    const { client, jid } = this.#deps;
    const { state } = client;
    const { room, messages, history } = this.#conversation;
    const contact = state.contacts.get(jid);
    const around = roomAround(state, jid);
    const name = nameOf(state, jid);
    this.#showPicture(name);
    setText(this.#name, name);
    setText(this.#status, this.#statusText());
    this.#showNotice(room?.state === 'outside' ? room.problem : undefined);
    this.#menu.update();
    const [{ scrollHeight: heightBefore }, firstBefore] = [this.#log, this.#log.querySelector('.message')];
    this.#older.hidden = history === 'all' || messages.length === 0;
    this.#empty.hidden = messages.length > 0 || room?.state === 'outside';
    setText(this.#empty, history === 'none' ? 'Reading messages …' : 'There are no messages yet.');
    const context = {
      nameFor: room && ((nick: string) => nick),
      correctable: correctable(this.#conversation),
      isRetractable: (message: Message) => isRetractable(this.#conversation, message),
      firstNew: this.#firstNew,
      nowMs: Date.now(),
    };
    this.#list.update(shownMessages(messages, context));
    if (this.#isAtEnd) this.#follow();
    else if (firstBefore !== this.#log.querySelector('.message'))
      this.#log.scrollTop += this.#log.scrollHeight - heightBefore;
    this.#showLatest();
    this.#composer.show({
      name,
      hasRules: room === undefined && !around,
      devices: [...(contact?.devices.keys() ?? [])],
      takesFiles: client.services.upload !== undefined,
      disabled: around ? !isInRoom(state, jid) : room !== undefined && room.state !== 'inside',
    });
  }

  get #conversation(): Conversation {
    return conversationWith(this.#deps.client.state, this.jid);
  }

  #showPicture(name: string): void {
    const { client, jid } = this.#deps;
    const picture = client.pictures.of(jid);
    const drawn = JSON.stringify([name, picture]);
    if (drawn === this.#drawnPicture) return;
    this.#drawnPicture = drawn;
    this.#picture.replaceChildren(avatar({ name, jid, isRoom: this.#conversation.room !== undefined, picture }));
  }

  #scrolled(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < nearEnd;
    this.#showLatest();
    if (!this.#older.hidden && scrollTop < nearBeginning) void this.#readBack();
  }

  /** Offers the end of the log to a user who has scrolled away from it, and tells how much has come since. */
  #showLatest(): void {
    const { messages } = this.#conversation;
    if (this.#isAtEnd) this.#lastSeen = messages.at(-1);
    const seen = messages.findLastIndex((message) => message === this.#lastSeen);
    const count = seen === -1 ? 0 : messages.slice(seen + 1).filter(({ mine }) => !mine).length;
    this.#latest.hidden = this.#isAtEnd;
    this.#latest.classList.toggle('has-new', count > 0);
    setText(this.#latestText, count === 0 ? 'Latest messages' : `${count} new message${count === 1 ? '' : 's'}`);
  }

  #toEnd(): void {
    this.#isAtEnd = true;
    this.#follow();
    this.#showLatest();
    this.focus();
  }

  /** Shows the end of the log, unless the user has scrolled away from it. */
  #follow(): void {
    if (this.#isAtEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** From a button of a message, the arrow keys lead to the same button of the message above or below. */
  #pressed(event: KeyboardEvent): void {
    const { target, key } = event;
    if (!(target instanceof HTMLButtonElement) || (key !== 'ArrowUp' && key !== 'ArrowDown')) return;
    const alike = [...this.#log.querySelectorAll<HTMLElement>('.small-tool')].filter(
      ({ title }) => title === target.title,
    );
    const next = alike[alike.indexOf(target) + (key === 'ArrowUp' ? -1 : 1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  #statusText(): string {
    const { state } = this.#deps.client;
    const { room, composing } = this.#conversation;
    if (room) return `${countText(room.occupants.size)}${room.subject === '' ? '' : ` · ${room.subject}`}`;
    if (composing) return 'typing …';
    const around = roomAround(state, this.jid);
    if (around) return `${isInRoom(state, this.jid) ? 'private, in' : 'has left'} ${nameOf(state, around.jid)}`;
    const contact = state.contacts.get(this.jid);
    if (contact?.subscription === 'both' || contact?.subscription === 'to') return availabilityOf(contact);
    return contact?.asked ? 'has not accepted yet' : this.jid;
  }

  #showNotice(problem: string | undefined): void {
    this.#notice.hidden = problem === undefined;
    setText(this.#notice, problem ?? '');
  }

  #send({ text, rules, device }: Written): void {
    const { sender } = this.#deps.client;
    const corrected = this.#corrected;
    this.#corrected = undefined;
    if (corrected) return sender.correct(this.#conversation, corrected, text);
    this.#firstNew = undefined;
    sender.say(this.#conversation, text, { rules, device });
    this.#isAtEnd = true;
    this.#follow();
  }

  /** Lets the user correct the last message. */
  #correct(): void {
    this.#corrected = correctable(this.#conversation);
    if (this.#corrected) this.#composer.edit(this.#corrected.text);
  }

  #sendAgain(message: Message): void {
    this.#deps.client.sender.sendAgain(this.#conversation, message);
    this.#toEnd();
  }

  #askToRetract(message: Message): void {
    ask({
      title: 'Remove this message?',
      text: 'It is removed for everybody whose app supports this. Others may have read or copied it.',
      fields: [],
      verb: 'Remove',
      answer: async () => {
        if (isRetractable(this.#conversation, message)) this.#deps.client.sender.retract(this.#conversation, message);
      },
      answered: () => this.focus(),
    });
  }

  async #readBack(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#older.disabled = true;
    await this.#deps.client.readBack(this.#conversation).catch(() => undefined);
    this.#older.disabled = false;
    this.#isReading = false;
  }
}

function countText(count: number): string {
  return count === 1 ? '1 person' : `${count} people`;
}
