import { type ChatState, type Conversation, type Message, nameOf } from './state.ts';

type Permission = 'default' | 'denied' | 'granted';

/** The part of the Notification API that is used here. */
interface NotificationApi {
  readonly permission: Permission;
  requestPermission(): Promise<Permission>;
  new (
    title: string,
    options: { readonly body: string; readonly tag: string; readonly icon: string },
  ): ShownNotification;
}

interface ShownNotification {
  addEventListener(name: 'click', listener: () => void): void;
  close(): void;
}

/** What a browser offers for notifications. */
interface NotifyingBrowser {
  /** Undefined where the browser has none, such as Safari on a phone outside of an installed page. */
  readonly api: NotificationApi | undefined;
  /** Where the choice of the user is kept. */
  readonly storage: {
    getItem(key: string): string | null;
    removeItem(key: string): void;
    setItem(key: string, value: string): void;
  };
  /** Whether the user does not look at the page. */
  readonly isAway: () => boolean;
}

/** Whether the user is notified of messages; `blocked` if the browser forbids it, `missing` if it cannot. */
type NotificationState = 'on' | 'off' | 'blocked' | 'missing';

const storageKey = 'ampere-chat-notifications';

/** Notifies the user of messages that come while the page is not looked at. */
export class Notifications {
  readonly #browser: NotifyingBrowser;

  constructor(browser: NotifyingBrowser) {
    this.#browser = browser;
  }

  get state(): NotificationState {
    const { api, storage } = this.#browser;
    if (!api) return 'missing';
    if (api.permission === 'denied') return 'blocked';
    return api.permission === 'granted' && storage.getItem(storageKey) === 'on' ? 'on' : 'off';
  }

  /** Turns notifications on, if the user lets the browser show them, or off. Resolves with the new state. */
  async turn(isOn: boolean): Promise<NotificationState> {
    const { api, storage } = this.#browser;
    if (!isOn) storage.removeItem(storageKey);
    else if ((await api?.requestPermission()) === 'granted') storage.setItem(storageKey, 'on');
    return this.state;
  }

  /** Shows a message, with `open` for when the user follows it. In a room, only messages that name the user count. */
  tell(state: ChatState, conversation: Conversation, message: Message, open: () => void): void {
    const { api, isAway } = this.#browser;
    if (!api || this.state !== 'on' || !isAway() || !concerns(conversation, message)) return;
    const { jid, room } = conversation;
    const title = room ? `${message.from} in ${nameOf(state, jid)}` : nameOf(state, jid);
    const body = message.file ? `Sent ${message.file.name}` : message.text.slice(0, 200);
    try {
      // One for each conversation: a newer one takes its place.
      const shown = new api(title, { body, tag: jid, icon: '/assets/ampere.svg' });
      shown.addEventListener('click', () => {
        shown.close();
        open();
      });
    } catch {
      // Chrome for Android has notifications only for service workers.
      void this.turn(false);
    }
  }
}

function concerns({ room }: Conversation, { text }: Message): boolean {
  return !room || text.toLowerCase().includes(room.nick.toLowerCase());
}
