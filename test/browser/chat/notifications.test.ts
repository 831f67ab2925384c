import { expect } from 'chai';
import { Notifications } from '../../../src/browser/chat/notifications.ts';
import { conversationWith, emptyState, type Message } from '../../../src/browser/chat/state.ts';

type Permission = 'default' | 'denied' | 'granted';

/** A browser in which the user gives this answer to the question for permission. */
function staged(answer: Permission) {
  const shown: { readonly title: string; readonly body: string; click: () => void }[] = [];
  const kept = new Map<string, string>();
  class Shown {
    static permission: Permission = 'default';
    static async requestPermission(): Promise<Permission> {
      Shown.permission = answer;
      return answer;
    }
    readonly #title: string;
    readonly #body: string;
    constructor(title: string, { body }: { readonly body: string }) {
      this.#title = title;
      this.#body = body;
    }
    addEventListener(_name: 'click', click: () => void): void {
      shown.push({ title: this.#title, body: this.#body, click });
    }
    close(): void {}
  }
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    removeItem: (key: string) => void kept.delete(key),
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const page = { isAway: true };
  const notifications = new Notifications({ api: Shown, storage, isAway: () => page.isAway });
  return { notifications, shown, page };
}

describe('Notifications of the chat page', () => {
  const state = { ...emptyState(), me: 'romeo@localhost' };
  const juliet = conversationWith(state, 'juliet@localhost');
  const message = (text: string, from = 'juliet@localhost'): Message => ({
    ...{ id: 'm', archiveId: undefined, from, mine: false, text, file: undefined, atMs: 0 },
    ...{ rules: [], progress: 'sent', outcomes: [] },
  });
  const ignored = () => undefined;

  it('are off until the user turns them on, and off again afterwards', async () => {
    const { notifications, shown } = staged('granted');
    notifications.tell(state, juliet, message('hark'), ignored);
    expect([notifications.state, await notifications.turn(true)]).to.deep.equal(['off', 'on']);
    notifications.tell(state, juliet, message('hark'), ignored);
    expect(shown.map(({ title, body }) => [title, body])).to.deep.equal([['juliet', 'hark']]);
    expect(await notifications.turn(false)).to.equal('off');
    notifications.tell(state, juliet, message('hark again'), ignored);
    expect(shown).to.have.length(1);
  });

  it('are shown only while the user does not look at the page, and lead to the message', async () => {
    const { notifications, shown, page } = staged('granted');
    await notifications.turn(true);
    page.isAway = false;
    notifications.tell(state, juliet, message('seen'), ignored);
    page.isAway = true;
    let opened = 0;
    notifications.tell(state, juliet, message('not seen'), () => opened++);
    shown[0]?.click();
    expect([shown.length, opened]).to.deep.equal([1, 1]);
  });

  it('tell of messages in a room only if these name the user', async () => {
    const { notifications, shown } = staged('granted');
    await notifications.turn(true);
    const inside = { nick: 'Romeo', state: 'inside', problem: undefined, subject: '', occupants: new Map() } as const;
    const room = { ...juliet, jid: 'verona@conference.localhost', room: { ...inside } };
    notifications.tell(state, room, message('good evening', 'nurse'), ignored);
    notifications.tell(state, room, message('where is romeo?', 'nurse'), ignored);
    expect(shown.map(({ title }) => title)).to.deep.equal(['nurse in verona']);
  });

  it('say so if the browser blocks them, or has none', async () => {
    const { notifications } = staged('denied');
    expect(await notifications.turn(true)).to.equal('blocked');
    const storage = { getItem: () => null, removeItem: ignored, setItem: ignored };
    const none = new Notifications({ api: undefined, storage, isAway: () => true });
    expect(await none.turn(true)).to.equal('missing');
  });
});
