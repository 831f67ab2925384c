import { createHash } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { ScramClient, type ScramClientOptions } from './scram-client.ts';
import { type Arrival, type ConnectionTarget, TestConnection } from './test-connection.ts';
import { assign, difference, type PatternOptions } from './xml-pattern.ts';
import { childOf, findTree, parseTree, type Tree } from './xml-tree.ts';

const ns = {
  stream: 'http://etherx.jabber.org/streams',
  tls: 'urn:ietf:params:xml:ns:xmpp-tls',
  sasl: 'urn:ietf:params:xml:ns:xmpp-sasl',
  bind: 'urn:ietf:params:xml:ns:xmpp-bind',
  ping: 'urn:xmpp:ping',
} as const;

/** How to authenticate. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly mechanism?: string;
  readonly authzid?: string;
  /** For a -PLUS mechanism. */
  readonly bindingType?: 'tls-exporter' | 'tls-server-end-point';
}

let requests = 0;

/** An XMPP client that does exactly what the test says, over a real socket. */
export class TestClient {
  readonly connection: TestConnection;
  readonly domain: string;
  /** The full JID; empty until a resource is bound. */
  jid = '';
  /** The features the server offered last. */
  features: Tree | undefined;
  /** Whether pings of the server are answered out of sight, as any client would. */
  answersPings = true;
  /** The attribute by which its own stanzas say who sends them; clients need none. */
  stamp = '';
  /** What came between the initial presence and the first word of the test. */
  arrival: readonly Tree[] = [];

  constructor(connection: TestConnection, domain: string) {
    this.connection = connection;
    this.domain = domain;
    connection.intercept = (tree) => this.#answerPing(tree);
  }

  /** Connects and says nothing yet. */
  static async connect(target: ConnectionTarget, domain: string): Promise<TestClient> {
    return new TestClient(await TestConnection.open(target), domain);
  }

  get bare(): string {
    return this.jid.replace(/\/.*$/s, '');
  }

  // --- sending

  /** Sends XML, well-formed or not. */
  sends(...pieces: (string | Buffer)[]): void {
    for (const piece of pieces) this.connection.write(piece);
  }

  /** Sends an iq with an id of its own and returns the answer, which must be the next stanza. */
  async asks(iq: string): Promise<Tree> {
    const id = `q${++requests}`;
    this.sends(iq.replace('<iq', `<iq id="${id}"`));
    return this.receives(`<iq id="${id}" type="*">...</iq>`);
  }

  /** Sends an iq and checks the answer. */
  async gets(iq: string, pattern: string): Promise<Tree> {
    return expectTree(await this.asks(iq), pattern);
  }

  // --- receiving

  /** The next element must fit the pattern (see `xml-pattern.ts`). */
  async receives(pattern: string, options?: PatternOptions): Promise<Tree> {
    return expectTree(await this.#element(pattern), pattern, options);
  }

  /** The next elements must fit the patterns, whatever their order. */
  async receivesInAnyOrder(...patterns: string[]): Promise<Tree[]> {
    const trees: Tree[] = [];
    for (const pattern of patterns) trees.push(await this.#element(pattern));
    expectTrees(trees, ...patterns);
    return trees;
  }

  /** Nothing has come: the answer to a ping sent now is the next stanza. */
  async receivesNothing(): Promise<void> {
    const surplus = await this.drains();
    if (surplus.length > 0) throw new Error(`expected nothing, but there came\n${surplus.map(rawOf).join('\n')}`);
  }

  /** Everything that comes before the answer to a ping sent now; what this client sent before has been dealt with by then. */
  async drains(): Promise<Tree[]> {
    const id = `p${++requests}`;
    this.sends(`<iq${this.stamp} id="${id}" type="get" to="${this.domain}"><ping xmlns="${ns.ping}"/></iq>`);
    const trees: Tree[] = [];
    for (;;) {
      const tree = await this.#element('the answer to a ping');
      if (tree.name === 'iq' && tree.attributes.get('id') === id) return trees;
      trees.push(tree);
    }
  }

  /** Waits until the server has dealt with everything sent so far; nothing may have come. */
  async settles(): Promise<void> {
    await this.receivesNothing();
  }

  /** The server's stream header. */
  async receivesHeader(): Promise<Tree> {
    const arrival = await this.connection.next('a stream header');
    if (arrival.kind !== 'header') throw new Error(`expected a stream header, got ${describe(arrival)}`);
    if (arrival.tree.name !== 'stream' || arrival.tree.ns !== ns.stream) throw new Error('not a stream header');
    return arrival.tree;
  }

  /** A stream error, behind a header if none has come on this stream, then the end of the stream and of the connection. */
  async receivesStreamError(condition: string, options: { header?: boolean } = {}): Promise<Tree> {
    if (options.header) await this.receivesHeader();
    const error = await this.receives(
      `<stream:error><${condition} xmlns="urn:ietf:params:xml:ns:xmpp-streams">*</${condition}>...</stream:error>`,
    );
    await this.receivesEnd();
    return error;
  }

  /** The server closes the stream and then the connection (RFC 6120 §4.4). */
  async receivesEnd(): Promise<void> {
    const arrival = await this.connection.next('the end of the stream');
    if (arrival.kind !== 'end') throw new Error(`expected </stream:stream>, got ${describe(arrival)}`);
    await this.receivesClosed();
  }

  /** The connection is closed and nothing came before. */
  async receivesClosed(): Promise<void> {
    const arrival = await this.connection.next('the end of the connection');
    if (arrival.kind !== 'closed') throw new Error(`expected a closed connection, got ${describe(arrival)}`);
  }

  // --- leaving

  /** Closes the stream properly. */
  async closes(): Promise<void> {
    this.sends('</stream:stream>');
    await this.receivesEnd();
  }

  /** Drops the connection without a word. */
  disconnects(): void {
    this.connection.destroy();
  }

  // --- negotiation

  /** Opens a stream; returns the features. */
  async opens(header: string = headerFor(this.domain)): Promise<Tree> {
    this.connection.restart();
    this.sends(header);
    await this.receivesHeader();
    return this.receivesFeatures();
  }

  async receivesFeatures(): Promise<Tree> {
    this.features = await this.receives('<stream:features>...</stream:features>');
    return this.features;
  }

  /** Negotiates TLS on the open stream (RFC 6120 §5.4); a new stream has to be opened then. */
  async startsTls(options: ConnectionOptions): Promise<void> {
    this.sends(`<starttls xmlns="${ns.tls}"/>`);
    await this.receives(`<proceed xmlns="${ns.tls}"/>`);
    await this.connection.startTls({ servername: this.domain, ...options });
  }

  /** Authenticates on the open stream (RFC 6120 §6.4) and opens it anew; returns the new features. */
  async authenticates(login: Login): Promise<Tree> {
    const answer = await this.tries(login);
    if (answer.name !== 'success') throw new Error(`authentication failed: ${rawOf(answer)}`);
    return this.opens();
  }

  /** Goes through a SASL exchange; returns the success or failure element. */
  async tries(login: Login): Promise<Tree> {
    const { mechanism = 'SCRAM-SHA-1' } = login;
    if (mechanism === 'PLAIN') return this.#triesPlain(login);
    const scram = new ScramClient({ ...this.scramOptions(login), mechanism });
    this.sends(saslElement('auth', scram.first(), ` mechanism="${mechanism}"`));
    const challenge = await this.#saslAnswer();
    if (challenge.name !== 'challenge') return challenge;
    this.sends(saslElement('response', scram.final(decode(challenge.text))));
    const outcome = await this.#saslAnswer();
    if (outcome.name === 'success') scram.verify(decode(outcome.text));
    return outcome;
  }

  /** What a SCRAM client on this connection needs to know. */
  scramOptions({ username, password, authzid, bindingType }: Login): Omit<ScramClientOptions, 'mechanism'> {
    return {
      username,
      password,
      ...(authzid === undefined ? {} : { authzid }),
      ...(bindingType ? { channelBinding: { type: bindingType, data: this.bindingData(bindingType) } } : {}),
    };
  }

  /** The channel binding data of the TLS connection (RFC 9266 §2, RFC 5929 §4.1). */
  bindingData(type: 'tls-exporter' | 'tls-server-end-point'): Buffer {
    const { tls } = this.connection;
    if (!tls) throw new Error('no channel binding without TLS');
    if (type === 'tls-exporter') return tls.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    return createHash('sha256').update(tls.getPeerCertificate().raw).digest();
  }

  /** Binds a resource (RFC 6120 §7); one of the server's making if none is asked for. */
  async binds(resource?: string): Promise<void> {
    const asked = resource === undefined ? '' : `<resource>${resource}</resource>`;
    const answer = await this.asks(`<iq type="set"><bind xmlns="${ns.bind}">${asked}</bind></iq>`);
    const jid = findTree(answer, 'jid');
    if (!jid) throw new Error(`binding failed: ${rawOf(answer)}`);
    this.jid = jid.text;
  }

  /** Sends initial presence and waits for its echo; what else comes is kept as {@link arrival}. */
  async appears(presence = '<presence/>'): Promise<void> {
    this.sends(presence);
    this.arrival = await this.drains();
    const echo = this.arrival.find((tree) => tree.name === 'presence' && tree.attributes.get('from') === this.jid);
    if (!echo) throw new Error(`${this.jid} did not get its own presence`);
  }

  async #triesPlain({ username, password, authzid = '' }: Login): Promise<Tree> {
    this.sends(saslElement('auth', Buffer.from(`${authzid}\0${username}\0${password}`), ' mechanism="PLAIN"'));
    return this.#saslAnswer();
  }

  #saslAnswer(): Promise<Tree> {
    return this.#element('an answer to SASL');
  }

  async #element(what: string): Promise<Tree> {
    const arrival = await this.connection.next(what);
    if (arrival.kind === 'element') return arrival.tree;
    throw new Error(`${this.jid || 'client'} expected ${what}\n  got ${describe(arrival)}`);
  }

  #answerPing(tree: Tree): boolean {
    if (!this.answersPings || tree.name !== 'iq' || tree.attributes.get('type') !== 'get') return false;
    const from = tree.attributes.get('from') ?? this.domain;
    if (childOf(tree, 'ping')?.ns !== ns.ping || from.includes('@')) return false;
    this.sends(`<iq${this.stamp} type="result" id="${tree.attributes.get('id')}" to="${from}"/>`);
    return true;
  }
}

/** A client's stream header. */
export function headerFor(domain: string, attributes = ''): string {
  return (
    `<?xml version="1.0"?><stream:stream xmlns="jabber:client" xmlns:stream="${ns.stream}"` +
    ` to="${domain}" version="1.0"${attributes}>`
  );
}

/** An element of RFC 6120's SASL profile with its data, where a lone equals sign stands for none (RFC 6120 §6.4.2). */
export function saslElement(name: string, data: Buffer, attributes = ''): string {
  return `<${name} xmlns="${ns.sasl}"${attributes}>${data.toString('base64') || '='}</${name}>`;
}

/** Throws unless the element fits the pattern. */
export function expectTree(tree: Tree, pattern: string, options?: PatternOptions): Tree {
  const reason = difference(parseTree(pattern), tree, options);
  if (reason) throw new Error(`expected ${pattern}\n  got ${rawOf(tree)}\n  ${reason}`);
  return tree;
}

/** Throws unless the elements fit the patterns one by one, whatever their order, and none is left over. */
export function expectTrees(trees: readonly Tree[], ...patterns: string[]): void {
  const parsed = patterns.map(parseTree);
  const left = assign(parsed, trees, (pattern, tree) => difference(pattern, tree) === undefined);
  if (left?.length === 0) return;
  const wanted = patterns.join('\n  ') || '(nothing)';
  throw new Error(`expected in any order\n  ${wanted}\ngot\n  ${trees.map(rawOf).join('\n  ') || '(nothing)'}`);
}

/** The element as it came. */
export function rawOf(tree: Tree): string {
  return tree.raw;
}

function describe(arrival: Arrival): string {
  switch (arrival.kind) {
    case 'end':
      return '</stream:stream>';
    case 'closed':
      return 'a closed connection';
    default:
      return rawOf(arrival.tree);
  }
}

function decode(base64: string): Buffer {
  return Buffer.from(base64.trim() === '=' ? '' : base64, 'base64');
}
