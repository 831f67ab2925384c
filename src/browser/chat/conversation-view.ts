import { typedAddress } from './address.ts';
import type { Client } from './client.ts';
import { Composer, type Written } from './composer.ts';
import { correctable } from './corrections.ts';
import { ask } from './dialogs.ts';
import { DrawnList, h, icon, iconButton, setText } from './dom.ts';
import { messageKey, messageSignature, messageView, type ShownMessage, shownMessages } from './message-view.ts';
import { availabilityOf, isInRoom } from './presence.ts';
import { avatar } from './sidebar.ts';
import { type ChatState, type Conversation, conversationWith, type Message, nameOf, roomAround } from './state.ts';

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

/** The messages with a contact or in a room. */
export class ConversationView {
  readonly element: HTMLElement;
  readonly jid: string;
  readonly #deps: ConversationDeps;
  readonly #name = h('h2', { tabindex: '-1' });
  readonly #status = h('p', { class: 'status' });
  readonly #picture = h('span', { class: 'picture-place' });
  readonly #menu = h('div', { class: 'menu panel' });
  readonly #details: HTMLDetailsElement;
  readonly #notice = h('p', { class: 'notice', role: 'status', hidden: true });
  readonly #older = h('button', { class: 'second small older', hidden: true }, 'Show earlier messages');
  readonly #log = h('div', { class: 'log', role: 'log', 'aria-label': 'Messages', tabindex: '0' });
  readonly #list: DrawnList<ShownMessage>;
  readonly #composer: Composer;
  #drawnMenu = '';
  #drawnPicture = '';
  /** The message that the user corrects. */
  #corrected: Message | undefined;
  #isAtEnd = true;

  constructor(deps: ConversationDeps) {
    this.#deps = deps;
    this.jid = deps.jid;
    const messages = h('div', { class: 'messages' });
    this.#list = new DrawnList(messages, {
      key: messageKey,
      signature: messageSignature,
      draw: (shown) => messageView(shown, { origins: deps.origins, correct: () => this.#correct() }),
    });
    this.#older.addEventListener('click', () => void this.#readBack());
    this.#log.append(this.#older, messages);
    this.#log.addEventListener('scroll', () => {
      this.#isAtEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < nearEnd;
    });
    // A picture has loaded, the screen was turned, or the rules need room.
    const resized = new ResizeObserver(() => this.#follow());
    for (const element of [this.#log, messages]) resized.observe(element);
    this.#details = h(
      'details',
      { class: 'more' },
      h('summary', { title: 'More' }, icon('more'), h('span', { class: 'spoken' }, 'More')),
      this.#menu,
    );
    this.#composer = new Composer({
      send: (written) => this.#send(written),
      share: (file) => deps.client.sender.share(this.#conversation, file),
      composing: (isComposing) => deps.client.sender.compose(this.#conversation, isComposing),
      correct: () => this.#correct(),
      cancel: () => {
        this.#corrected = undefined;
      },
    });
    const closeMenu = () => {
      this.#details.open = false;
    };
    this.#log.addEventListener('click', closeMenu);
    this.#details.addEventListener('keydown', ({ key }) => key === 'Escape' && closeMenu());
    const back = iconButton('back', 'Back', deps.back);
    back.classList.add('back');
    this.element = h(
      'main',
      { class: 'conversation' },
      h('header', {}, back, this.#picture, h('div', { class: 'who' }, this.#name, this.#status), this.#details),
      this.#notice,
      this.#log,
      this.#composer.element,
    );
  }

  focus(): void {
    this.#composer.focus();
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
    this.#showNotice();
    this.#drawMenu();
    const [{ scrollHeight: heightBefore }, firstBefore] = [this.#log, this.#log.querySelector('.message')];
    this.#older.hidden = history === 'all' || messages.length === 0;
    const nameFor = room && ((nick: string) => nick);
    this.#list.update(shownMessages(messages, { nameFor, correctable: correctable(this.#conversation) }));
    if (this.#isAtEnd) this.#follow();
    else if (firstBefore !== this.#log.querySelector('.message'))
      this.#log.scrollTop += this.#log.scrollHeight - heightBefore;
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

  /** Shows the end of the log, unless the user has scrolled away from it. */
  #follow(): void {
    if (this.#isAtEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #statusText(): string {
    const { state } = this.#deps.client;
    const { room, composing } = this.#conversation;
    if (room) return `${countText(room.occupants.size)}${room.subject === '' ? '' : ` · ${room.subject}`}`;
    if (composing) return 'writes …';
    const around = roomAround(state, this.jid);
    if (around) return `${isInRoom(state, this.jid) ? 'private, in' : 'has left'} ${nameOf(state, around.jid)}`;
    const contact = state.contacts.get(this.jid);
    if (contact?.subscription === 'both' || contact?.subscription === 'to') return availabilityOf(contact);
    return contact?.asked ? 'has not accepted your request yet' : this.jid;
  }

  #showNotice(): void {
    const { room } = this.#conversation;
    const problem = room?.state === 'outside' ? room.problem : undefined;
    this.#notice.hidden = problem === undefined;
    setText(this.#notice, problem ?? '');
  }

  #send({ text, rules, device }: Written): void {
    const { sender } = this.#deps.client;
    const corrected = this.#corrected;
    this.#corrected = undefined;
    if (corrected) return sender.correct(this.#conversation, corrected, text);
    sender.say(this.#conversation, text, { rules, device });
    this.#isAtEnd = true;
    this.#follow();
  }

  /** Lets the user correct the last message. */
  #correct(): void {
    this.#corrected = correctable(this.#conversation);
    if (this.#corrected) this.#composer.edit(this.#corrected.text);
  }

  async #readBack(): Promise<void> {
    this.#older.disabled = true;
    await this.#deps.client.readBack(this.#conversation).catch(() => undefined);
    this.#older.disabled = false;
  }

  /** Draws the menu when what it shows has changed, so that it does not lose the focus. */
  #drawMenu(): void {
    const { state } = this.#deps.client;
    const { room } = this.#conversation;
    const signature = JSON.stringify([
      room && [...room.occupants],
      room?.nick,
      state.contacts.get(this.jid)?.subscription,
    ]);
    if (signature === this.#drawnMenu) return;
    this.#drawnMenu = signature;
    if (room) this.#menu.replaceChildren(...this.#roomMenu());
    else this.#menu.replaceChildren(...(roomAround(state, this.jid) ? this.#occupantMenu() : this.#contactMenu(state)));
  }

  #occupantMenu(): HTMLElement[] {
    const { client } = this.#deps;
    return [
      h('p', { class: 'copy' }, this.jid),
      this.#action('Close the conversation', async () => client.forget(this.jid)),
    ];
  }

  #contactMenu(state: ChatState): HTMLElement[] {
    const { client } = this.#deps;
    const contact = state.contacts.get(this.jid);
    const isMutual = contact?.subscription === 'both';
    return [
      h('p', { class: 'copy' }, this.jid),
      ...(isMutual
        ? []
        : [this.#action(contact ? 'Ask again' : 'Add to contacts', () => client.contacts.add(this.jid))]),
      ...(contact ? [this.#action('Remove contact', () => client.contacts.remove(this.jid))] : []),
    ];
  }

  #roomMenu(): HTMLElement[] {
    const { client, domain } = this.#deps;
    const { room } = this.#conversation;
    const occupants = [...(room?.occupants ?? [])].toSorted(([one], [other]) => one.localeCompare(other));
    const subject = () =>
      ask({
        title: 'Subject of the room',
        fields: [{ name: 'subject', label: 'Subject', value: room?.subject ?? '', optional: true }],
        verb: 'Set',
        answer: async ({ subject: text = '' }) => client.rooms.setSubject(this.jid, text),
      });
    const invite = () =>
      ask({
        title: 'Invite to the room',
        fields: [{ name: 'jid', label: 'Address', placeholder: `name@${domain}` }],
        verb: 'Invite',
        answer: async ({ jid = '' }) => {
          const address = typedAddress(jid, domain);
          if (address === undefined) throw new Error('This is not an address.');
          client.rooms.invite(this.jid, address);
        },
      });
    return [
      h('p', { class: 'copy' }, this.jid),
      this.#action('Invite somebody', async () => invite()),
      this.#action('Change the subject', async () => subject()),
      this.#action('Leave the room', () => client.rooms.leave(this.jid)),
      h('h3', {}, 'In the room'),
      h(
        'ul',
        { class: 'occupants' },
        ...occupants.map(([nick, { role }]) =>
          h('li', {}, this.#occupant(nick, room?.nick), role === 'moderator' && h('small', {}, 'moderator')),
        ),
      ),
    ];
  }

  /** The name of an occupant, which opens a private conversation. */
  #occupant(nick: string, own: string | undefined): HTMLElement {
    if (nick === own) return h('span', {}, `${nick} (you)`);
    const { client, open } = this.#deps;
    const click = () => open(client.whisper(this.jid, nick));
    return h('button', { class: 'link', title: `Write to ${nick} in private`, on: { click } }, nick);
  }

  #action(words: string, run: () => Promise<void>): HTMLElement {
    const act = () => {
      this.#details.open = false;
      void run().catch((error: unknown) => {
        this.#notice.hidden = false;
        setText(this.#notice, error instanceof Error ? error.message : String(error));
      });
    };
    return h('button', { class: 'second small full', on: { click: act } }, words);
  }
}

function countText(count: number): string {
  return count === 1 ? '1 person' : `${count} people`;
}
