import { typedAddress } from './address.ts';
import type { Client } from './client.ts';
import { ConversationView } from './conversation-view.ts';
import { ask, tellFailure } from './dialogs.ts';
import { h, setText } from './dom.ts';
import type { Notifications } from './notifications.ts';
import { showSettings } from './settings-view.ts';
import { Sidebar } from './sidebar.ts';
import { countUnsent } from './undelivered.ts';

/** Dependencies of the view of an account. */
interface ChatDeps {
  readonly client: Client;
  readonly notifications: Notifications;
  readonly domain: string;
  readonly origins: readonly string[];
  readonly logOut: () => void;
}

/** After this long without a connection, the user is told. A reload or a moment without network is shorter. */
const bannerMs = 1000;

/** Everything that a user who has logged in sees. */
export class ChatView {
  readonly element: HTMLElement;
  readonly #deps: ChatDeps;
  readonly #sidebar: Sidebar;
  readonly #banner = h('p', { class: 'banner', role: 'status', hidden: true });
  readonly #place = h('div', { class: 'place' });
  #conversation: ConversationView | undefined;
  #isDue = false;
  #bannerTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: ChatDeps) {
    this.#deps = deps;
    const { client } = deps;
    const run = (action: Promise<void>) => void action.catch(tellFailure);
    this.#sidebar = new Sidebar({
      open: (jid) => this.open(jid),
      accept: (jid) => run(client.contacts.add(jid)),
      refuse: (jid) => client.contacts.refuse(jid),
      enter: (room) => run(this.#enter(room)),
      ignore: (room) => client.ignoreInvitation(room),
      addContact: () => this.#askForContact(),
      joinRoom: () => this.#askForRoom(),
      pictureOf: (jid) => client.pictures.of(jid),
      settings: () => showSettings(deps),
      logOut: () => this.#logOut(),
    });
    this.element = h('div', { class: 'chat' }, this.#banner, this.#sidebar.element, this.#place);
    this.#close();
    this.update();
  }

  /** The conversation that the user looks at. */
  get openJid(): string | undefined {
    return this.#conversation?.jid;
  }

  /** Opens a conversation. */
  open(jid: string): void {
    const { client, domain, origins } = this.#deps;
    const back = () => {
      this.#close();
      this.#sidebar.focus();
    };
    const view = new ConversationView({ client, jid, domain, origins, back, open: (other) => this.open(other) });
    this.#conversation = view;
    this.#place.replaceChildren(view.element);
    this.element.classList.add('reads');
    view.update();
    client.look(jid);
    view.focus();
  }

  /** Shows what has changed, once for all that changes in this turn. */
  changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.update();
    });
  }

  update(): void {
    const { client } = this.#deps;
    const { state, connection } = client;
    this.#showBanner(connection === 'online');
    this.#sidebar.update(state, this.openJid);
    if (
      this.#conversation &&
      !state.conversations.has(this.#conversation.jid) &&
      !state.contacts.has(this.#conversation.jid)
    )
      this.#close();
    this.#conversation?.update();
    const unread = [...state.conversations.values()].reduce((sum, conversation) => sum + conversation.unread, 0);
    document.title = unread === 0 ? 'Chat' : `(${unread}) Chat`;
  }

  /** Whether the user looks at the page. What comes meanwhile is not read. */
  attend(isAttentive: boolean): void {
    const { client } = this.#deps;
    if (isAttentive) this.#conversation?.markNew();
    client.look(isAttentive ? this.openJid : undefined);
  }

  #showBanner(isOnline: boolean): void {
    const cause = navigator.onLine ? 'No connection.' : 'You are offline.';
    setText(this.#banner, `${cause} Messages are sent when you are back online.`);
    if (isOnline) {
      clearTimeout(this.#bannerTimer);
      this.#bannerTimer = undefined;
      this.#banner.hidden = true;
    } else {
      this.#bannerTimer ??= setTimeout(() => {
        this.#banner.hidden = false;
      }, bannerMs);
    }
  }

  #close(): void {
    const { client } = this.#deps;
    this.#conversation = undefined;
    this.element.classList.remove('reads');
    const words = 'Choose a conversation, add a contact, or enter a room.';
    this.#place.replaceChildren(h('main', { class: 'nothing' }, h('p', { class: 'quiet' }, words)));
    client.look(undefined);
  }

  #logOut(): void {
    const { client, logOut } = this.#deps;
    const count = countUnsent(client.state);
    if (count === 0) return logOut();
    ask({
      title: count === 1 ? 'Log out and lose a message?' : `Log out and lose ${count} messages?`,
      text: 'What was not sent is not kept.',
      fields: [],
      verb: 'Log out',
      answer: async () => logOut(),
    });
  }

  async #enter(room: string): Promise<void> {
    const entering = this.#deps.client.rooms.enter(room);
    this.open(room);
    await entering;
  }

  #askForContact(): void {
    const { client, domain } = this.#deps;
    ask({
      title: 'Add a contact',
      fields: [
        { name: 'jid', label: 'Address', placeholder: `name@${domain}` },
        { name: 'name', label: 'Name', optional: true, hint: 'Only you see this name.' },
      ],
      verb: 'Add',
      answer: async ({ jid = '', name = '' }) => {
        const address = typedAddress(jid, domain);
        if (address === undefined) throw new Error(`Type an address such as name@${domain}.`);
        if (address === client.state.me) throw new Error('This is your own address.');
        await client.contacts.add(address, name.trim());
        this.open(address);
      },
    });
  }

  #askForRoom(): void {
    const { client } = this.#deps;
    const { rooms } = client.services;
    ask({
      title: 'Enter a room',
      fields: [
        {
          name: 'room',
          label: 'Room',
          placeholder: rooms === undefined ? 'room@server' : 'garden',
          hint: 'If there is no room with this name, you create it.',
        },
      ],
      verb: 'Enter',
      answer: async ({ room = '' }) => {
        const address = typedAddress(room.trim().replaceAll(/\s+/g, '-'), rooms ?? '');
        if (address === undefined) throw new Error('This cannot be the name of a room.');
        await this.#enter(address);
      },
    });
  }
}
