import { localOf } from './address.ts';
import { DrawnList, h, icon, iconButton, setText } from './dom.ts';
import { availabilityOf, isInRoom } from './presence.ts';
import { type ChatState, type Invitation, nameOf, roomAround } from './state.ts';

/** What the user can do in the list. */
interface SidebarDeps {
  readonly open: (jid: string) => void;
  readonly accept: (jid: string) => void;
  readonly refuse: (jid: string) => void;
  readonly enter: (room: string) => void;
  readonly ignore: (room: string) => void;
  readonly addContact: () => void;
  readonly joinRoom: () => void;
  /** The address of the picture of a user, if there is one. */
  readonly pictureOf: (jid: string) => string | undefined;
  readonly settings: () => void;
  readonly logOut: () => void;
}

/** A line of the list. */
interface Line {
  readonly jid: string;
  readonly name: string;
  /** The room in which the conversation is private. */
  readonly around: string | undefined;
  readonly isRoom: boolean;
  readonly availability: 'online' | 'away' | 'offline';
  readonly preview: string;
  readonly unread: number;
  readonly picture: string | undefined;
  readonly isOpen: boolean;
}

/** The list of contacts, rooms and conversations, and what asks for an answer. */
export class Sidebar {
  readonly element: HTMLElement;
  readonly #deps: SidebarDeps;
  readonly #picture = h('span', { class: 'picture-place' });
  readonly #name = h('strong');
  readonly #address = h('small');
  #drawnPicture: string | undefined;
  readonly #empty = h('p', { class: 'quiet empty' }, 'Nobody is here yet. Add a contact by address, or enter a room.');
  readonly #requests: DrawnList<string>;
  readonly #invitations: DrawnList<Invitation>;
  readonly #lines: DrawnList<Line>;
  #state: ChatState | undefined;

  constructor(deps: SidebarDeps) {
    this.#deps = deps;
    const [requests, invitations, lines] = [
      h('ul', { class: 'asking' }),
      h('ul', { class: 'asking' }),
      h('ul', { class: 'lines' }),
    ];
    this.#requests = new DrawnList(requests, {
      key: (jid) => jid,
      signature: (jid) => jid,
      draw: (jid) => this.#request(jid),
    });
    this.#invitations = new DrawnList(invitations, {
      key: ({ room }) => room,
      signature: ({ room }) => room,
      draw: (invitation) => this.#invitation(invitation),
    });
    this.#lines = new DrawnList(lines, {
      key: ({ jid }) => jid,
      signature: JSON.stringify,
      draw: (line) => this.#line(line),
    });
    this.element = h(
      'nav',
      { class: 'sidebar', 'aria-label': 'Conversations' },
      h(
        'header',
        {},
        h('h1', { class: 'spoken' }, 'Chat'),
        this.#picture,
        h('p', { class: 'me' }, this.#name, this.#address),
        iconButton('settings', 'Settings', deps.settings),
        iconButton('leave', 'Log out', deps.logOut),
      ),
      h(
        'div',
        { class: 'new' },
        h('button', { class: 'second', on: { click: () => deps.addContact() } }, icon('person'), 'Add contact'),
        h('button', { class: 'second', on: { click: () => deps.joinRoom() } }, icon('room'), 'Enter room'),
      ),
      h('div', { class: 'scroll' }, requests, invitations, lines, this.#empty),
    );
  }

  update(state: ChatState, open: string | undefined): void {
    this.#state = state;
    const lines = linesOf(state, open, this.#deps.pictureOf);
    this.#showMe(state);
    this.#requests.update([...state.requests]);
    this.#invitations.update([...state.invitations.values()]);
    this.#lines.update(lines);
    this.#empty.hidden = lines.length + state.requests.size + state.invitations.size > 0;
  }

  #showMe({ me, names }: ChatState): void {
    const [name, picture] = [names.get(me) ?? localOf(me), this.#deps.pictureOf(me)];
    setText(this.#name, name);
    setText(this.#address, me);
    this.#address.title = me;
    const drawn = JSON.stringify([name, me, picture]);
    if (drawn !== this.#drawnPicture) this.#picture.replaceChildren(avatar({ name, jid: me, picture }));
    this.#drawnPicture = drawn;
  }

  #request(jid: string): HTMLElement {
    return h(
      'li',
      {},
      h('p', {}, h('strong', {}, jid), ' wants to be your contact.'),
      h(
        'div',
        { class: 'actions' },
        h('button', { class: 'second small', on: { click: () => this.#deps.refuse(jid) } }, 'Refuse'),
        h('button', { class: 'small', on: { click: () => this.#deps.accept(jid) } }, 'Accept'),
      ),
    );
  }

  #invitation({ room, from, reason }: Invitation): HTMLElement {
    const inviter = this.#state ? nameOf(this.#state, from) : from;
    return h(
      'li',
      {},
      h('p', {}, h('strong', {}, inviter), ' invites you to ', h('strong', {}, localOf(room)), '.'),
      reason !== '' && h('p', { class: 'quiet' }, reason),
      h(
        'div',
        { class: 'actions' },
        h('button', { class: 'second small', on: { click: () => this.#deps.ignore(room) } }, 'Ignore'),
        h('button', { class: 'small', on: { click: () => this.#deps.enter(room) } }, 'Enter'),
      ),
    );
  }

  #line({ jid, name, around, isRoom, availability, preview, unread, picture, isOpen }: Line): HTMLElement {
    const presence = isRoom ? 'room' : availability;
    return h(
      'li',
      {},
      h(
        'button',
        { class: 'line', title: jid, 'aria-current': isOpen && 'true', on: { click: () => this.#deps.open(jid) } },
        avatar({ name, jid, isRoom, picture }),
        !isRoom && h('span', { class: `dot ${availability}` }),
        h('span', { class: 'name' }, name, around !== undefined && h('small', {}, ` in ${around}`)),
        h('span', { class: 'spoken' }, `, ${presence}`),
        h('span', { class: 'preview' }, preview),
        unread > 0 && h('span', { class: 'unread' }, String(unread), h('span', { class: 'spoken' }, ' unread')),
      ),
    );
  }
}

/** Whom a picture stands for. */
interface Pictured {
  readonly name: string;
  readonly jid: string;
  readonly isRoom?: boolean;
  /** The address of the picture. */
  readonly picture?: string | undefined;
}

/** A picture, or a letter in a color that stays the same for an address. */
export function avatar({ name, jid, isRoom = false, picture }: Pictured): HTMLElement {
  if (picture !== undefined) return h('img', { class: 'avatar', src: picture, alt: '' });
  const hue = Array.from(jid).reduce((sum, character) => (sum * 31 + (character.codePointAt(0) ?? 0)) % 8, 7);
  const [letter = '?'] = Array.from(name.toUpperCase());
  return h('span', { class: `avatar hue-${hue}`, 'aria-hidden': 'true' }, isRoom ? '#' : letter);
}

function linesOf(state: ChatState, open: string | undefined, pictureOf: SidebarDeps['pictureOf']): Line[] {
  const { contacts, conversations } = state;
  const all = [...new Set([...conversations.keys(), ...contacts.keys()])];
  const lastAt = (jid: string) => conversations.get(jid)?.messages.at(-1)?.atMs ?? 0;
  return all
    .toSorted((one, other) => lastAt(other) - lastAt(one) || nameOf(state, one).localeCompare(nameOf(state, other)))
    .map((jid) => {
      const conversation = conversations.get(jid);
      const contact = contacts.get(jid);
      const around = roomAround(state, jid);
      return {
        jid,
        name: nameOf(state, jid),
        around: around && nameOf(state, around.jid),
        isRoom: conversation?.room !== undefined,
        availability: isInRoom(state, jid) ? 'online' : availabilityOf(contact),
        preview: previewOf(state, jid),
        unread: conversation?.unread ?? 0,
        picture: pictureOf(jid),
        isOpen: jid === open,
      };
    });
}

function previewOf(state: ChatState, jid: string): string {
  const { conversations, contacts } = state;
  const { composing, messages, room } = conversations.get(jid) ?? { composing: false, messages: [], room: undefined };
  if (composing) return 'writes …';
  const last = messages.at(-1);
  if (!last && roomAround(state, jid)) return 'private messages';
  if (!last) return contacts.get(jid)?.asked ? 'has not answered yet' : jid;
  const text = last.file ? `Sent ${last.file.name}` : last.text.slice(0, 120);
  if (last.mine) return `You: ${text}`;
  return room ? `${last.from}: ${text}` : text;
}
