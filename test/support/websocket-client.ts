import { once } from 'node:events';
import { WebSocket } from 'ws';
import { deadlineMs } from './test-connection.ts';
import type { TestServer } from './test-server.ts';

const framingNs = 'urn:ietf:params:xml:ns:xmpp-framing';

/** How a WebSocket is opened. */
interface WebSocketOptions {
  /** Over `listen.http`. */
  readonly plain?: boolean;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}

/** A client that does exactly what the test says, through a WebSocket (RFC 7395). */
export class WebSocketClient {
  readonly socket: WebSocket;
  readonly #heard: string[] = [];
  #wake: (() => void) | undefined;
  /** The close code, once it is closed. */
  closed: number | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#heard.push(data.toString());
      this.#wake?.();
    });
    socket.on('close', (code) => {
      this.closed = code;
      this.#wake?.();
    });
    socket.on('error', () => undefined);
  }

  /** Connects; rejects with the status if the server refuses. */
  static async connect(server: TestServer, options: WebSocketOptions = {}): Promise<WebSocketClient> {
    const { plain = false, path = '/xmpp-websocket', headers = {}, protocols = ['xmpp'] } = options;
    const { host, port, tls } = (plain ? server.http : server.https) ?? { host: '', port: 0 };
    const url = `${plain ? 'ws' : 'wss'}://${host}:${port}${path}`;
    const socket = new WebSocket(url, [...protocols], { ...tls, headers: { ...headers } });
    const client = new WebSocketClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** Opens the stream and logs in with PLAIN; a resource is bound. */
  static async online(server: TestServer, jid: string, password: string, resource: string): Promise<WebSocketClient> {
    const client = await WebSocketClient.connect(server);
    await client.authenticates(jid, password);
    client.says(
      `<iq xmlns="jabber:client" id="b" type="set"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>${resource}</resource></bind></iq>`,
    );
    await client.hears(/<jid>.*<\/jid>/);
    client.says('<presence xmlns="jabber:client"/>');
    await client.hears(/^<presence /);
    return client;
  }

  /** Opens the stream. Returns the features. */
  async opens(domain: string): Promise<string> {
    this.says(`<open xmlns="${framingNs}" to="${domain}" version="1.0"/>`);
    await this.hears(/^<open /);
    return this.hears(/^<stream:features /);
  }

  async authenticates(jid: string, password: string): Promise<void> {
    const [local = '', domain = ''] = jid.split('@');
    await this.opens(domain);
    const initial = Buffer.from(`\0${local}\0${password}`).toString('base64');
    this.says(`<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${initial}</auth>`);
    await this.hears(/^<success /);
    await this.opens(domain);
  }

  says(...messages: string[]): void {
    for (const message of messages) this.socket.send(message);
  }

  /** The next message, which must fit. */
  async hears(expected: RegExp): Promise<string> {
    const message = await this.#next();
    if (message === undefined)
      throw new Error(`expected ${expected}, but the connection was closed with ${this.closed}`);
    if (!expected.test(message)) throw new Error(`expected ${expected}, but there came ${message}`);
    return message;
  }

  /** Waits for the end. Returns the close code, and what came before it. */
  async ends(): Promise<{ readonly code: number | undefined; readonly messages: readonly string[] }> {
    const messages: string[] = [];
    for (;;) {
      const message = await this.#next();
      if (message === undefined) return { code: this.closed, messages };
      messages.push(message);
    }
  }

  async #next(): Promise<string | undefined> {
    const deadline = AbortSignal.timeout(deadlineMs);
    while (this.#heard.length === 0 && this.closed === undefined) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.onabort = () => reject(new Error('nothing came through the WebSocket'));
      });
    }
    return this.#heard.shift();
  }
}
