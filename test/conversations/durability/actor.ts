import { TestClient } from '../../support/test-client.ts';
import type { ConnectionTarget } from '../../support/test-connection.ts';
import { childOf, findTree, type Tree } from '../../support/xml-tree.ts';
import { accountOf, type Ledger, type Letter } from './ledger.ts';

const sm = 'urn:xmpp:sm:3';
const amp = 'http://jabber.org/protocol/amp';

/** Whether a client has stream management, and whether it can resume. */
export type Manner = 'resuming' | 'counting' | 'plain';

/** How a stream may end without anybody having made a mistake. */
const harmless = new Set([
  'conflict',
  'system-shutdown',
  'connection-timeout',
  'policy-violation',
  'resource-constraint',
]);

/** One connection of an actor, and how many stanzas have come on it since its count began. */
class Link {
  readonly client: TestClient;
  taken = 0;
  /** Whether what comes is the actor's already. */
  live = false;
  mute = false;
  /** Resolves when the connection is gone, if it is being watched. */
  closed: Promise<void> = Promise.resolve();

  constructor(client: TestClient) {
    this.client = client;
  }

  watch(ended: () => void): void {
    this.closed = this.#closed().then(ended);
  }

  async #closed(): Promise<void> {
    for (;;) {
      // Nothing comes for a long time on a quiet connection.
      const arrival = await this.client.connection.next('anything').catch(() => undefined);
      if (arrival?.kind === 'closed') return;
    }
  }
}

/** A user's client, with stream management or without, that answers and repeats as it should, unless it is told to be silent. */
export class Actor {
  readonly name: string;
  readonly manner: Manner;
  readonly #ledger: Ledger;
  #link: Link | undefined;
  #token: string | undefined;
  /** Stanzas that have come since the session began. */
  #taken = 0;
  /** How many of ours the server has acknowledged in this session. */
  #handled = 0;
  /** What has been written in this session and is not acknowledged. */
  #open: Letter[] = [];
  #sent = 0;
  /** What was said in this session and is not acknowledged, in order; nothing stands for what is no letter. */
  #said: (Letter | undefined)[] = [];
  #answered: ((yes: boolean) => void) | undefined;
  #presence = '<presence/>';
  /** Whether it keeps silent when it is asked what it has. */
  mute = false;

  constructor(name: string, manner: Manner, ledger: Ledger) {
    this.name = name;
    this.manner = manner;
    this.#ledger = ledger;
  }

  get connected(): boolean {
    return this.#link !== undefined;
  }

  get unacknowledged(): readonly Letter[] {
    return this.#open;
  }

  /** Connects, resumes if it can, and repeats what it must. */
  async comes(target: ConnectionTarget): Promise<void> {
    const link = await this.#dial(target);
    await this.#enter(link);
  }

  /** Comes back on two connections at the same time: one of them wins. */
  async comesTwice(target: ConnectionTarget): Promise<void> {
    if (this.#token === undefined) return this.comes(target);
    const links = await Promise.all([this.#dial(target), this.#dial(target)]);
    for (const link of links) link.mute = true;
    await Promise.all(links.map((link) => this.#enter(link).catch(() => undefined)));
    for (const link of links) link.mute = false;
  }

  /** The connection is gone. */
  cut(): void {
    this.#link?.client.disconnects();
    this.#lose();
  }

  /** Closes its stream and reads to the end. */
  async saysGoodbye(): Promise<void> {
    const link = this.#link;
    if (!link) return;
    link.client.connection.resumeReading();
    link.client.sends('</stream:stream>');
    await link.closed;
    this.forgets();
  }

  /** Will not resume its session. */
  forgets(): void {
    this.#token = undefined;
  }

  dozes(): void {
    this.#link?.client.connection.pauseReading();
  }

  wakes(): void {
    this.#link?.client.connection.resumeReading();
  }

  shows(presence: string): void {
    this.#presence = presence;
    this.#say(presence);
  }

  writes(letter: Letter): void {
    if (this.manner === 'plain' && !this.#link) return;
    this.#ledger.write(letter);
    if (this.manner !== 'plain') this.#open.push(letter);
    this.#write(letter);
  }

  asks(): void {
    if (this.manner !== 'plain') this.#link?.client.sends(`<r xmlns="${sm}"/>`);
  }

  /** Asks something whose answer comes behind all there is; false if nobody answers. */
  async pings(): Promise<boolean> {
    const link = this.#link;
    if (!link) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#answered = resolve;
    this.#say('<iq id="ping" type="get" to="localhost"><ping xmlns="urn:xmpp:ping"/></iq>');
    this.asks();
    return promise;
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
    if (this.manner !== 'plain') client.sends(`<enable xmlns="${sm}" resume="${this.manner === 'resuming'}"/>`);
    this.#say(this.#presence);
    for (const letter of this.#open) this.#write(letter);
    this.asks();
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

  /** True for what is the actor's, false for what the negotiation waits for. */
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
    for (const letter of this.#open) this.#write(letter);
    this.asks();
  }

  #failed(tree: Tree): void {
    if (tree.attributes.has('h')) this.#acknowledged(tree);
    this.#token = undefined;
  }

  #begun(link: Link): void {
    for (const { id, writer } of this.#ledger.letters.values()) if (writer === this.name) this.#ledger.unheard.add(id);
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
      if (this.manner === 'resuming') this.#token = tree.attributes.get('id');
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
    else this.#ledger.receive(accountOf(this.name), id, childOf(tree, 'body')?.text ?? '');
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

  #drop(letter: Letter): void {
    this.#ledger.acknowledged.add(letter.id);
    this.#open = this.#open.filter((one) => one !== letter);
  }

  #say(text: string, letter?: Letter): void {
    if (!this.#link) return;
    this.#link.client.sends(text);
    this.#sent += 1;
    this.#said.push(letter);
  }

  #write(letter: Letter): void {
    const { id, to, type, body, expiresAtMs } = letter;
    const [local, resource] = to.split('/');
    const address = resource === undefined ? `${local}@localhost` : `${local}@localhost/${resource}`;
    const expiry = expiresAtMs === undefined ? '' : new Date(expiresAtMs).toISOString();
    const rule = `<amp xmlns="${amp}"><rule action="drop" condition="expire-at" value="${expiry}"/></amp>`;
    const rules = expiresAtMs === undefined ? '' : rule;
    this.#say(`<message type="${type}" id="${id}" to="${address}"><body>${body}</body>${rules}</message>`, letter);
  }
}
