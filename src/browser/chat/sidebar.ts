import { localOf } from './address.ts';
import { shortText } from './dates.ts';
import { DrawnList, h, icon, iconButton, setText } from './dom.ts';
import { availabilityOf, isInRoom } from './presence.ts';
import { type ChatState, type Invitation, nameOf, roomAround } from './state.ts';
import { isUndelivered } from './undelivered.ts';

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
  /** Whether the preview is what the user has written and not sent. */
  /** What the preview is, if it is no message that was sent. */
  readonly mark: 'Draft' | 'Not delivered' | undefined;
  /** When the last message was sent. */
  readonly time: string;
  readonly unread: number;
  readonly picture: string | undefined;
  readonly isOpen: boolean;
}

/** The list has a field for searching when it is longer than this. */
const longList = 8;

/** The list of contacts, rooms and conversations, and what asks for an answer. */
export class Sidebar {
  readonly element: HTMLElement;
  readonly #deps: SidebarDeps;
  readonly #picture = h('span', { class: 'picture-place' });
  readonly #name = h('strong');
  readonly #address = h('small');
  #drawnPicture: string | undefined;
  readonly #empty = h('p', { class: 'quiet empty' });
  readonly #search = h('input', {
    type: 'search',
    'aria-label': 'Search conversations',
    placeholder: 'Search',
    autocomplete: 'off',
    spellcheck: 'false',
    hidden: true,
  });
  readonly #list = h('ul', { class: 'lines' });
  readonly #requests: DrawnList<string>;
  readonly #invitations: DrawnList<Invitation>;
  readonly #lines: DrawnList<Line>;
  #state: ChatState | undefined;
  #open: string | undefined;
  /** The conversation that was open last. */
  #last: string | undefined;

  constructor(deps: SidebarDeps) {
    this.#deps = deps;
    const [requests, invitations] = [h('ul', { class: 'asking' }), h('ul', { class: 'asking' })];
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
    this.#lines = new DrawnList(this.#list, {
      key: ({ jid }) => jid,
      signature: JSON.stringify,
      draw: (line) => this.#line(line),
    });
    this.#search.addEventListener('input', () => this.#searched());
    this.#search.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.#clearSearch();
      if (key === 'Enter') this.#list.querySelector<HTMLElement>('.line')?.click();
    });
    this.#list.addEventListener('keydown', (event) => this.#moved(event));
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
      this.#search,
      h('div', { class: 'scroll' }, requests, invitations, this.#list, this.#empty),
    );
  }

  /** Puts the focus on the conversation that was open last. */
  focus(): void {
    const lines = [...this.#list.querySelectorAll<HTMLElement>('.line')];
    (lines.find(({ title }) => title === this.#last) ?? lines[0])?.focus();
  }

  update(state: ChatState, open: string | undefined): void {
    this.#state = state;
    this.#open = open;
    this.#last = open ?? this.#last;
    const lines = linesOf(state, open, this.#deps.pictureOf);
    this.#showMe(state);
    this.#requests.update([...state.requests]);
    this.#invitations.update([...state.invitations.values()]);
    this.#search.hidden = lines.length <= longList && this.#search.value === '';
    const wanted = this.#search.value.trim().toLowerCase();
    const found = lines.filter(({ jid, name }) => name.toLowerCase().includes(wanted) || jid.includes(wanted));
    this.#lines.update(found);
    const isNew = lines.length + state.requests.size + state.invitations.size === 0;
    const words = 'You have no conversations yet. Add a contact by address, or enter a room.';
    setText(this.#empty, isNew ? words : 'No conversation has this name.');
    this.#empty.hidden = !isNew && (found.length > 0 || lines.length === 0);
  }

  #searched(): void {
    if (this.#state) this.update(this.#state, this.#open);
  }

  #clearSearch(): void {
    this.#search.value = '';
    this.#searched();
  }

  /** Moves the focus up or down in the list. */
  #moved(event: KeyboardEvent): void {
    const item = event.target instanceof Element ? event.target.closest('li') : null;
    const next = { ArrowDown: item?.nextElementSibling, ArrowUp: item?.previousElementSibling }[event.key];
    if (!next) return;
    event.preventDefault();
    next.querySelector('button')?.focus();
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

  #line({ jid, name, around, isRoom, availability, unread, picture, isOpen, ...line }: Line): HTMLElement {
    const presence = isRoom ? 'room' : availability;
    const open = () => {
      this.#clearSearch();
      this.#deps.open(jid);
    };
    return h(
      'li',
      {},
      h(
        'button',
        {
          class: `line${unread > 0 ? ' has-unread' : ''}`,
          title: jid,
          'aria-current': isOpen && 'true',
          on: { click: open },
        },
        avatar({ name, jid, isRoom, picture }),
        !isRoom && h('span', { class: `dot ${availability}` }),
        h('span', { class: 'name' }, h('bdi', {}, name), around !== undefined && h('small', {}, ` in ${around}`)),
        h('span', { class: 'spoken' }, `, ${presence}`),
        line.time !== '' && h('span', { class: 'when' }, line.time),
        h('span', { class: 'preview' }, line.mark !== undefined && h('em', {}, `${line.mark}: `), line.preview),
        unread > 0 &&
          h(
            'span',
            { class: 'unread' },
            unread > 99 ? '99+' : String(unread),
            h('span', { class: 'spoken' }, ' unread'),
          ),
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

const ranks = { online: 0, away: 1, offline: 2 } as const;

/** The lines in their order: the latest message first; then contacts without messages, those who are online first. */
function linesOf(state: ChatState, open: string | undefined, pictureOf: SidebarDeps['pictureOf']): Line[] {
  const { contacts, conversations } = state;
  const nowMs = Date.now();
  const isShown = (jid: string) => {
    const { messages = [], draft = '', room } = conversations.get(jid) ?? {};
    const isBegun = messages.length > 0 || draft !== '' || room !== undefined;
    return contacts.has(jid) || isBegun || jid === open || roomAround(state, jid) !== undefined;
  };
  const all = [...new Set([...conversations.keys(), ...contacts.keys()])].filter(isShown).map((jid) => {
    const { draft = '', messages = [], room, unread = 0 } = conversations.get(jid) ?? {};
    const around = roomAround(state, jid);
    const isDraft = draft.trim() !== '' && jid !== open;
    const last = messages.at(-1);
    const atMs = last?.atMs ?? 0;
    const line: Line = {
      jid,
      name: nameOf(state, jid),
      around: around && nameOf(state, around.jid),
      isRoom: room !== undefined,
      availability: isInRoom(state, jid) ? 'online' : availabilityOf(contacts.get(jid)),
      preview: isDraft ? draft.slice(0, 120) : previewOf(state, jid),
      mark: isDraft ? 'Draft' : last && isUndelivered(last) ? 'Not delivered' : undefined,
      time: atMs === 0 ? '' : shortText(atMs, nowMs),
      unread,
      picture: pictureOf(jid),
      isOpen: jid === open,
    };
    return { line, atMs };
  });
  const compareNames = new Intl.Collator().compare;
  return all
    .toSorted(
      (one, other) =>
        other.atMs - one.atMs ||
        ranks[one.line.availability] - ranks[other.line.availability] ||
        compareNames(one.line.name, other.line.name),
    )
    .map(({ line }) => line);
}

function previewOf(state: ChatState, jid: string): string {
  const { conversations, contacts } = state;
  const { composing, messages, room } = conversations.get(jid) ?? { composing: false, messages: [], room: undefined };
  if (composing) return 'typing …';
  const last = messages.at(-1);
  if (!last && roomAround(state, jid)) return 'private messages';
  if (!last) return contacts.get(jid)?.asked ? 'has not answered yet' : jid;
  const said = last.file ? `Sent ${last.file.name}` : last.text.slice(0, 120);
  const text = last.isRetracted ? 'Message removed' : said;
  if (last.mine) return `You: ${text}`;
  return room ? `${last.from}: ${text}` : text;
}
