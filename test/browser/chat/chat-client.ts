import { Client } from '../../../src/browser/chat/client.ts';
import type { SavedSession } from '../../../src/browser/chat/session.ts';
import { conversationWith, emptyState, type Message } from '../../../src/browser/chat/state.ts';
import type { Account } from '../../support/conversation.ts';
import type { TestServer } from '../../support/test-server.ts';
import { readXml } from './read-xml.ts';

let agents = 0;

/** The client of the chat page without its page: it talks with a server through a real WebSocket. */
export class ChatClient implements AsyncDisposable {
  readonly client: Client;
  readonly agent: string;
  /** Why the server has ended the session. */
  ended: string | undefined;
  #wake: (() => void) | undefined;

  private constructor(
    server: TestServer,
    { local, domain, password }: Partial<Account>,
    saved?: SavedSession,
    agent?: string,
  ) {
    this.agent = agent ?? `agent-${++agents}`;
    const wake = () => this.#wake?.();
    this.client = new Client({
      transport: {
        url: `ws://localhost:${server.http?.port}/xmpp-websocket`,
        open: (url, protocol) => new WebSocket(url, protocol),
        parse: readXml,
      },
      account: { username: local ?? '', domain: domain ?? '', agent: this.agent, device: 'a test', password },
      state: emptyState(),
      origins: [],
      reach: (url) => url,
      ...(saved && { saved }),
      changed: wake,
      noticed: wake,
      ended: (reason) => {
        this.ended = reason;
        wake();
      },
    });
  }

  /** Logs in with a password. */
  static async login(server: TestServer, account: Account): Promise<ChatClient> {
    const made = new ChatClient(server, account);
    await made.client.start();
    await made.until(() => made.client.services.rooms);
    return made;
  }

  /** Goes on with what another client had, as after a reload of the page. */
  static resume(server: TestServer, { local, domain }: Account, saved: SavedSession, agent: string): ChatClient {
    const made = new ChatClient(server, { local, domain }, saved, agent);
    made.client.resume();
    return made;
  }

  /** Waits until something is there. Looks again whenever the state has changed. */
  async until<Found>(look: () => Found | undefined | false): Promise<Found> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits for a message with this text, and this progress if one is given. */
  message(jid: string, text: string, progress?: Message['progress']): Promise<Message> {
    const fits = (message: Message) => message.text === text && (progress ?? message.progress) === message.progress;
    return this.until(() => this.client.state.conversations.get(jid)?.messages.find(fits));
  }

  /** Enters a room, and waits until so many are in it. */
  async enters(room: string, occupants: number): Promise<void> {
    await this.client.rooms.enter(room);
    await this.until(() => this.client.state.conversations.get(room)?.room?.occupants.size === occupants);
  }

  say(jid: string, text: string): void {
    this.client.sender.say(conversationWith(this.client.state, jid), text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.end();
  }
}
