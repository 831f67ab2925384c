import { readArchive } from '../../support/read-archive.ts';
import { TestClient } from '../../support/test-client.ts';
import type { ConnectionTarget } from '../../support/test-connection.ts';
import { childOf, findTree, type Tree } from '../../support/xml-tree.ts';
import { type Archived, accountOf, type Ledger, type SentMessage } from './ledger.ts';

const sm = 'urn:xmpp:sm:3';
const amp = 'http://jabber.org/protocol/amp';

/** Whether a client has stream management, and whether it can resume. */
export type ClientKind = 'resuming' | 'counting' | 'plain';

/** Stream errors that a correct server may send. */
const harmless = new Set([
  'conflict',
  'system-shutdown',
  'connection-timeout',
  'policy-violation',
  'resource-constraint',
]);

/** One connection of a client, and the number of stanzas received on it since its count began. */
class Link {
  readonly client: TestClient;
  taken = 0;
  /** Whether negotiation is over, so that the client reads from this connection. */
  live = false;
  mute = false;
  /** Resolves when the connection has closed, if it is watched. */
  closed: Promise<void> = Promise.resolve();

  constructor(client: TestClient) {
    this.client = client;
  }

  watch(ended: () => void): void {
    this.closed = this.#closed().then(ended);
  }

  async #closed(): Promise<void> {
    for (;;) {
      // A quiet connection receives nothing for a long time.
      const arrival = await this.client.connection.next('anything').catch(() => undefined);
      if (arrival?.kind === 'closed') return;
    }
  }
}

/** A client, with or without stream management, that acknowledges and repeats correctly unless a step stops it. */
export class WalkClient {
  readonly name: string;
  readonly kind: ClientKind;
  readonly #ledger: Ledger;
  #link: Link | undefined;
  #token: string | undefined;
  /** The number of stanzas received since the session began. */
  #taken = 0;
  /** The number of sent stanzas that the server has acknowledged in this session. */
  #handled = 0;
  /** The sent messages that are not acknowledged. */
  #open: SentMessage[] = [];
  #sent = 0;
  /** The sent stanzas of this session that are not acknowledged, in order. Undefined for one that is not a message. */
  #said: (SentMessage | undefined)[] = [];
  #answered: ((yes: boolean) => void) | undefined;
  #presence = '<presence/>';
  /** Whether it answers neither requests for acknowledgment nor pings. */
  mute = false;

  constructor(name: string, kind: ClientKind, ledger: Ledger) {
    this.name = name;
    this.kind = kind;
    this.#ledger = ledger;
  }

  get connected(): boolean {
    return this.#link !== undefined;
  }

  get unacknowledged(): readonly SentMessage[] {
    return this.#open;
  }

  /** Connects, resumes its session if possible, and repeats messages that were not acknowledged. */
  async connects(target: ConnectionTarget): Promise<void> {
    const link = await this.#dial(target);
    await this.#enter(link);
  }

  /** Resumes on two connections at the same time, of which one wins. */
  async resumesTwice(target: ConnectionTarget): Promise<void> {
    if (this.#token === undefined) return this.connects(target);
    const links = await Promise.all([this.#dial(target), this.#dial(target)]);
    for (const link of links) link.mute = true;
    await Promise.all(links.map((link) => this.#enter(link).catch(() => undefined)));
    for (const link of links) link.mute = false;
  }

  /** Drops the connection. */
  cut(): void {
    this.#link?.client.disconnects();
    this.#lose();
  }

  /** Closes its stream and reads to the end. */
  async closes(): Promise<void> {
    const link = this.#link;
    if (!link) return;
    link.client.connection.resumeReading();
    link.client.sends('</stream:stream>');
    await link.closed;
    this.forgetsSession();
  }

  /** Forgets its session: the next connection begins a new one. */
  forgetsSession(): void {
    this.#token = undefined;
  }

  stopsReading(): void {
    this.#link?.client.connection.pauseReading();
  }

  readsAgain(): void {
    this.#link?.client.connection.resumeReading();
  }

  sendsPresence(presence: string): void {
    this.#presence = presence;
    this.#say(presence);
  }

  sends(message: SentMessage): void {
    if (this.kind === 'plain' && !this.#link) return;
    this.#ledger.write(message);
    if (this.kind !== 'plain') this.#open.push(message);
    this.#write(message);
  }

  requestsAck(): void {
    if (this.kind !== 'plain') this.#link?.client.sends(`<r xmlns="${sm}"/>`);
  }

  /** Sends a ping, whose answer follows everything sent before. False if the connection is lost. */
  async pings(): Promise<boolean> {
    const link = this.#link;
    if (!link) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#answered = resolve;
    this.#say('<iq id="ping" type="get" to="localhost"><ping xmlns="urn:xmpp:ping"/></iq>');
    this.requestsAck();
    return promise;
  }

  /** The messages in the archive of its account, read by another client. */
  async readsArchive(target: ConnectionTarget): Promise<Archived[]> {
    const client = await TestClient.connect(target, 'localhost');
    const username = accountOf(this.name);
    await client.opens();
    await client.authenticates({ username, password: `${username}-password` });
    await client.binds();
    const entries = await readArchive(client);
    client.disconnects();
    return entries.map(({ id: stanzaId, message }) => ({
      stanzaId,
      id: message.attributes.get('id') ?? '',
      body: childOf(message, 'body')?.text ?? '',
    }));
  }

  async #dial(target: ConnectionTarget): Promise<Link> {
    const client = await TestClient.connect(target, 'localhost');
    const link = new Link(client);
    client.answersPings = false;
    client.connection.intercept = (tree) => this.#intercept(link, tree);
    await client.opens();
    const username = accountOf(this.name);
    await client.authenticates({ username, password: `${username}-password` });
    return link;
  }

  async #enter(link: Link): Promise<void> {
    const { client } = link;
    if (this.#token !== undefined) {
      link.taken = this.#taken;
      client.sends(`<resume xmlns="${sm}" previd="${this.#token}" h="${this.#taken}"/>`);
      const answer = await client.connection.next('an answer to <resume/>');
      if (answer.kind !== 'element') throw new Error(`${this.name} was cut off while it resumed`);
      if (answer.tree.name === 'resumed') return this.#watch(link);
    }
    this.#token = undefined;
    await client.binds(this.name.split('/')[1]);
    if (this.kind !== 'plain') client.sends(`<enable xmlns="${sm}" resume="${this.kind === 'resuming'}"/>`);
    this.#say(this.#presence);
    for (const message of this.#open) this.#write(message);
    this.requestsAck();
    this.#watch(link);
  }

  #watch(link: Link): void {
    link.watch(() => {
      if (this.#link === link) this.#lose();
    });
  }

  #lose(): void {
    this.#link = undefined;
    this.#answered?.(false);
  }

  /** True for elements after negotiation, false for those that negotiation waits for. */
  #intercept(link: Link, tree: Tree): boolean {
    if (link.live) {
      this.#take(link, tree);
      return true;
    }
    if (tree.name === 'resumed') this.#resumed(link, tree);
    else if (tree.name === 'failed' && tree.ns === sm) this.#failed(tree);
    else if (findTree(tree, 'jid') && tree.name === 'iq') this.#begun(link);
    return false;
  }

  #resumed(link: Link, tree: Tree): void {
    this.#begins(link);
    this.#acknowledged(tree);
    this.#sent = this.#handled;
    this.#said = [];
    for (const message of this.#open) this.#write(message);
    this.requestsAck();
  }

  #failed(tree: Tree): void {
    if (tree.attributes.has('h')) this.#acknowledged(tree);
    this.#token = undefined;
  }

  #begun(link: Link): void {
    for (const { id, writer } of this.#ledger.messages.values()) if (writer === this.name) this.#ledger.unheard.add(id);
    this.#begins(link);
    this.#handled = 0;
    this.#sent = 0;
    this.#said = [];
    this.#taken = 0;
    link.taken = 0;
  }

  #begins(link: Link): void {
    link.live = true;
    this.#link = link;
  }

  #take(link: Link, tree: Tree): void {
    if (tree.ns === sm) return this.#count(link, tree);
    if (tree.ns === 'http://etherx.jabber.org/streams') return this.#closed(link, tree);
    link.taken += 1;
    if (link === this.#link) this.#taken = link.taken;
    if (tree.name === 'message') this.#receive(tree);
    if (tree.name === 'iq') this.#answer(link, tree);
  }

  #count(link: Link, tree: Tree): void {
    if (tree.name === 'enabled') {
      link.taken = 0;
      this.#taken = 0;
      if (this.kind === 'resuming') this.#token = tree.attributes.get('id');
    } else if (tree.name === 'a') {
      if (link === this.#link) this.#acknowledged(tree);
    } else if (tree.name === 'r' && !this.mute && !link.mute) {
      link.client.sends(`<a xmlns="${sm}" h="${link.taken}"/>`);
    }
  }

  #closed(link: Link, tree: Tree): void {
    const condition = tree.children[0]?.name ?? tree.name;
    if (tree.name === 'error' && !harmless.has(condition)) this.#ledger.faults.push(`${this.name}: ${tree.raw}`);
    link.client.disconnects();
    if (this.#link === link) this.#lose();
  }

  #receive(tree: Tree): void {
    const id = tree.attributes.get('id') ?? '';
    if (tree.attributes.get('type') === 'error') this.#ledger.refuse(id);
    else {
      const stanzaId = childOf(tree, 'stanza-id')?.attributes.get('id');
      this.#ledger.receive(accountOf(this.name), id, childOf(tree, 'body')?.text ?? '', stanzaId);
    }
  }

  #answer(link: Link, tree: Tree): void {
    const id = tree.attributes.get('id');
    if (id === 'ping') return this.#answered?.(true);
    if (tree.attributes.get('type') !== 'get' || this.mute) return;
    if (link === this.#link) this.#say(`<iq type="result" id="${id}" to="localhost"/>`);
  }

  #acknowledged(tree: Tree): void {
    const h = Number(tree.attributes.get('h'));
    const { faults } = this.#ledger;
    if (h < this.#handled) faults.push(`${this.name} was told ${h} after ${this.#handled}`);
    if (h > this.#sent) faults.push(`${this.name} was told ${h} of ${this.#sent}`);
    this.#settle(h - this.#handled);
    this.#handled = h;
  }

  #settle(count: number): void {
    for (const said of this.#said.splice(0, count)) if (said) this.#drop(said);
  }

  #drop(message: SentMessage): void {
    this.#ledger.acknowledged.add(message.id);
    this.#open = this.#open.filter((one) => one !== message);
  }

  #say(text: string, message?: SentMessage): void {
    if (!this.#link) return;
    this.#link.client.sends(text);
    this.#sent += 1;
    this.#said.push(message);
    if (message) this.#ledger.wrote(message);
  }

  #write(message: SentMessage): void {
    const { id, to, type, body, expiresAtMs } = message;
    const [local, resource] = to.split('/');
    const address = resource === undefined ? `${local}@localhost` : `${local}@localhost/${resource}`;
    const expiry = expiresAtMs === undefined ? '' : new Date(expiresAtMs).toISOString();
    const rule = `<amp xmlns="${amp}"><rule action="drop" condition="expire-at" value="${expiry}"/></amp>`;
    const rules = expiresAtMs === undefined ? '' : rule;
    this.#say(`<message type="${type}" id="${id}" to="${address}"><body>${body}</body>${rules}</message>`, message);
  }
}
