import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { TLSSocketOptions } from 'node:tls';
import { rawOf, TestClient } from './test-client.ts';
import { type Arrival, deadlineMs, TestConnection } from './test-connection.ts';
import type { Tree } from './xml-tree.ts';

const dialback = 'jabber:server:dialback';

/** The stream header of a server. */
export function serverHeader(attributes: string): string {
  return (
    `<?xml version="1.0"?><stream:stream xmlns="jabber:server" xmlns:db="${dialback}"` +
    ` xmlns:stream="http://etherx.jabber.org/streams" version="1.0" ${attributes}>`
  );
}

/** A word of dialback as a pattern. */
export function word(kind: 'result' | 'verify', attributes: string, content = ''): string {
  return `<db:${kind} xmlns:db="${dialback}" ${attributes}>${content}</db:${kind}>`;
}

/**
 * The server of a domain without TLS. To those who connect it behaves as a server that knows dialback and believes
 * everybody; what it opens itself says exactly what the test says.
 */
export class ScriptedServer {
  readonly domain: string;
  /** What it answers when it is asked about a key: it never looks at one. */
  verdict: 'valid' | 'invalid' | 'silence' = 'valid';
  /** What to say instead of the usual, when something comes on a stream that somebody else has opened. */
  script: ((tree: Tree, client: TestClient) => boolean) | undefined;
  /** What to say instead of the usual, when a stream header comes. */
  welcome: ((header: Tree, client: TestClient) => void) | undefined;
  /** What it has for TLS, which it then wants from everybody. */
  tls: TLSSocketOptions | undefined;
  /** Further stream features, as XML. */
  features = '';
  /** Whether it has stream management, and acknowledges what it is asked about. */
  managed = false;
  acknowledges = true;
  /** How often somebody has connected. */
  connections = 0;
  /** The last that came, for the report of a failed test. */
  #heard = '';
  readonly #server: Server;
  readonly #clients = new Set<TestClient>();
  readonly #stanzas: Tree[] = [];
  #wake = () => {};

  private constructor(domain: string, server: Server) {
    this.domain = domain;
    this.#server = server;
    server.on('connection', (socket) => void this.#serve(this.#client(TestConnection.accepted(socket))));
  }

  static async start(domain: string): Promise<ScriptedServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedServer(domain, server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Opens a connection to a server, and says nothing yet. */
  async connects(port: number, localAddress = '127.0.0.1'): Promise<TestClient> {
    return this.#client(await TestConnection.open({ host: '127.0.0.1', port, localAddress }));
  }

  /** Opens a stream to a server; the features have come. */
  async opens(port: number, to: string, from = this.domain): Promise<TestClient> {
    const client = await this.connects(port);
    await client.opens(serverHeader(`from="${from}" to="${to}"`));
    return client;
  }

  /** Opens a stream and proves itself by dialback. */
  async proves(port: number, to: string): Promise<TestClient> {
    const client = await this.opens(port, to);
    client.sends(`<db:result from="${this.domain}" to="${to}">key</db:result>`);
    await client.receives(word('result', `from="${to}" to="${this.domain}" type="valid"`));
    return client;
  }

  /** The next stanza that somebody has sent here; rejects at the deadline, with all that has come. */
  async receives(): Promise<Tree> {
    for (;;) {
      const stanza = this.#stanzas.shift();
      if (stanza) return stanza;
      await this.#wait();
    }
  }

  async #wait(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const heard = () =>
      `no stanza came within ${deadlineMs} ms; ${this.connections} connections brought\n${this.#heard}`;
    const timer = setTimeout(() => reject(new Error(heard())), deadlineMs);
    this.#wake = resolve;
    await promise.finally(() => clearTimeout(timer));
  }

  /** Ends the connections that others have opened. */
  drops(): void {
    for (const client of this.#clients) client.disconnects();
    this.#clients.clear();
  }

  stop(): void {
    this.drops();
    this.#server.close();
  }

  #client(connection: TestConnection): TestClient {
    const client = new TestClient(connection, this.domain);
    client.answersPings = false;
    this.#clients.add(client);
    return client;
  }

  async #serve(client: TestClient): Promise<void> {
    this.connections += 1;
    const count = { handled: 0 };
    for (;;) {
      const arrival = await this.#next(client);
      if (!arrival) return;
      if (arrival.kind === 'header') this.#welcome(arrival.tree, client);
      else if (arrival.kind === 'element') this.#hears(arrival.tree, client, count);
      else if (arrival.kind === 'end') client.sends('</stream:stream>');
      else if (arrival.kind === 'closed') return;
    }
  }

  /** Whoever connects may stay silent for as long as it likes; what cannot be read ends it. */
  async #next(client: TestClient): Promise<Arrival | undefined> {
    while (this.#clients.has(client)) {
      try {
        return await client.connection.next('anything');
      } catch (error) {
        if (!String(error).includes('did not come')) return undefined;
      }
    }
    return undefined;
  }

  #welcome(header: Tree, client: TestClient): void {
    if (this.welcome) return this.welcome(header, client);
    const to = header.attributes.get('from');
    client.sends(serverHeader(`from="${this.domain}" to="${to}" id="s${Math.random()}"`));
    const feature = '<dialback xmlns="urn:xmpp:features:dialback"><errors/></dialback>';
    if (this.tls && !client.connection.tls) {
      return client.sends('<stream:features><starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/></stream:features>');
    }
    const management = this.managed ? '<sm xmlns="urn:xmpp:sm:3"/>' : '';
    client.sends(`<stream:features>${feature}${management}${this.features}</stream:features>`);
  }

  #hears(tree: Tree, client: TestClient, count: { handled: number }): void {
    this.#heard = `${this.#heard}${rawOf(tree)}\n`.slice(-4000);
    if (this.script?.(tree, client)) return;
    const { name, attributes } = tree;
    const turned = `from="${attributes.get('to')}" to="${attributes.get('from')}"`;
    if (name === 'starttls' && this.tls) {
      client.sends('<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
      void client.connection.answerTls(this.tls);
    } else if (name === 'result') client.sends(`<db:result ${turned} type="valid"/>`);
    else if (name === 'verify' && this.verdict !== 'silence') {
      client.sends(`<db:verify ${turned} id="${attributes.get('id')}" type="${this.verdict}"/>`);
    } else if (name === 'enable') {
      client.sends('<enabled xmlns="urn:xmpp:sm:3"/>');
    } else if (name === 'r' && this.acknowledges) {
      client.sends(`<a xmlns="urn:xmpp:sm:3" h="${count.handled}"/>`);
    } else if (name === 'message' || name === 'presence' || name === 'iq') {
      count.handled += 1;
      this.#stanzas.push(tree);
      this.#wake();
    }
  }
}
