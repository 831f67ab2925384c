import { typedAddress } from './address.ts';
import type { Client } from './client.ts';
import { ask, tellFailure } from './dialogs.ts';
import { h, icon } from './dom.ts';
import { type ChatState, type Contact, type Conversation, conversationWith, nameOf, roomAround } from './state.ts';

/** Dependencies of the menu of a conversation. */
interface MenuDeps {
  readonly client: Client;
  readonly jid: string;
  readonly domain: string;
  /** Opens another conversation. */
  readonly open: (jid: string) => void;
}

/** What the user can do with a contact, a room or an occupant, and who is in the room. */
export class ConversationMenu {
  readonly element: HTMLDetailsElement;
  readonly jid: string;
  readonly #deps: MenuDeps;
  readonly #menu = h('div', { class: 'menu panel' });
  #drawnMenu = '';

  constructor(deps: MenuDeps) {
    this.#deps = deps;
    this.jid = deps.jid;
    this.element = h(
      'details',
      { class: 'more' },
      h('summary', { title: 'More' }, icon('more'), h('span', { class: 'spoken' }, 'More')),
      this.#menu,
    );
    this.element.addEventListener('keydown', ({ key }) => key === 'Escape' && this.#closeMenu());
  }

  /** Closes the menu, unless the user is in it. */
  closeUnless(target: EventTarget | null): void {
    if (target instanceof Node && !this.element.contains(target)) this.element.open = false;
  }

  get #conversation(): Conversation {
    return conversationWith(this.#deps.client.state, this.jid);
  }

  /** Draws the menu when what it shows has changed, so that it does not lose the focus. */
  update(): void {
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
      ...(contact ? [this.#action('Remove contact', async () => this.#askToRemove(contact))] : []),
    ];
  }

  #askToRemove({ jid }: Contact): void {
    const { client } = this.#deps;
    ask({
      title: `Remove ${nameOf(client.state, jid)} from your contacts?`,
      text: 'You will no longer see when this contact is online. Your messages stay.',
      fields: [],
      verb: 'Remove',
      answer: () => client.contacts.remove(jid),
    });
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

  /** Closes the menu. The focus goes back to what has opened it. */
  #closeMenu(): void {
    this.element.open = false;
    this.element.querySelector('summary')?.focus();
  }

  #action(words: string, run: () => Promise<void>): HTMLElement {
    const act = () => {
      this.#closeMenu();
      void run().catch(tellFailure);
    };
    return h('button', { class: 'second small full', on: { click: act } }, words);
  }
}
