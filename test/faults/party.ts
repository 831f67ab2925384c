import { TestClient } from '../support/test-client.ts';
import type { Arrival } from '../support/test-connection.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';

const sm = 'urn:xmpp:sm:3';
const amp = 'http://jabber.org/protocol/amp';

/** One message as it was sent; `to` is a name here, or an address elsewhere. */
export interface Letter {
  readonly id: string;
  readonly to: string;
  /** What it has besides its text, in bytes. */
  readonly padding?: number;
  /** What its only rule does when the message would be stored (XEP-0079). */
  readonly whenStored?: 'notify' | 'alert' | 'error';
}

/** What a party of the test notices. */
export interface Notices {
  acknowledged(letters: readonly Letter[]): void;
  /** A message came back with this condition; an error if nobody minds. */
  refused?(id: string, condition: string): void;
}

/** The account and the resource that a name such as `romeo` or `romeo/2` stands for. */
function placesOf(name: string): { readonly local: string; readonly resource: string } {
  const [local = '', resource = 'home'] = name.split('/');
  return { local, resource };
}

/** A user whose client comes back after every crash, as a good client does: it resumes, and repeats what was not acknowledged. */
export class Party {
  readonly name: string;
  /** The ids of the messages that came, in order, repetitions included. */
  readonly received: string[] = [];
  /** The ids of the messages that rules have reported on, repetitions included. */
  readonly reported: string[] = [];
  /** Whether it shows itself only when its session is managed, and then does not wait for what that brings. */
  hasty = false;
  /** Whether the session in use is one that was resumed. */
  resumed = false;
  /** The stream error that the last stream ended with. */
  closedBy: string | undefined;
  readonly #managed: boolean;
  readonly #notices: Notices;
  #client: TestClient | undefined;
  #token: string | undefined;
  /** Stanzas that came since stream management was enabled. */
  #taken = 0;
  #unacknowledged: Letter[] = [];
  /** How many of ours the server has acknowledged since stream management was enabled. */
  #handled = 0;

  constructor(name: string, managed: boolean, notices: Notices) {
    this.name = name;
    this.#managed = managed;
    this.#notices = notices;
  }

  /** How many messages are on the way. */
  get unacknowledged(): number {
    return this.#unacknowledged.length;
  }

  /** Connects to a server that has just started, resumes if it can, and repeats what it must. */
  async arrives(port: number): Promise<void> {
    const client = await TestClient.connect({ host: '127.0.0.1', port }, 'localhost');
    const { local } = placesOf(this.name);
    this.#client = client;
    await client.opens();
    await client.authenticates({ username: local, password: `${local}-password` });
    this.resumed = await this.#resumes(client);
    if (!this.resumed) await this.#begins(client);
    for (const letter of this.#unacknowledged) this.#write(letter);
    if (this.#unacknowledged.length > 0) client.sends(`<r xmlns="${sm}"/>`);
  }

  /** Sends a message and asks for its acknowledgment. */
  writes(letter: Letter): void {
    this.#unacknowledged.push(letter);
    this.#write(letter);
    this.#client?.sends(`<r xmlns="${sm}"/>`);
  }

  /** Reads until the connection is lost. */
  async reads(after: () => void): Promise<void> {
    for (;;) {
      const arrival = await this.#next();
      if (arrival.kind !== 'element') return;
      this.#take(arrival.tree);
      after();
    }
  }

  /** Reads until everything it has written is acknowledged. */
  async readsAcknowledgments(): Promise<void> {
    while (this.#unacknowledged.length > 0) {
      const arrival = await this.#next();
      if (arrival.kind !== 'element') throw new Error(`${this.name} was cut off`);
      this.#take(arrival.tree);
    }
  }

  /** Reads all there is: until many pings in a row were answered with nothing new before. */
  async empties(): Promise<void> {
    for (let quiet = 0; quiet < 30; quiet++) {
      const before = this.received.length;
      await this.#readsToPing();
      if (this.received.length > before) quiet = 0;
    }
  }

  async #readsToPing(): Promise<void> {
    const client = this.#client;
    client?.sends('<iq id="last" type="get" to="localhost"><ping xmlns="urn:xmpp:ping"/></iq>');
    for (;;) {
      const arrival = await this.#next();
      if (arrival.kind !== 'element') throw new Error(`${this.name} was cut off`);
      this.#take(arrival.tree);
      if (arrival.tree.attributes.get('id') === 'last') return;
    }
  }

  /** Will not resume its session, but begin another. */
  forgets(): void {
    this.#token = undefined;
  }

  /** Takes nothing any more of what the server sends. */
  stalls(): void {
    this.#client?.connection.pauseReading();
  }

  /** Drops the connection without a word. */
  leaves(): void {
    this.#client?.disconnects();
  }

  /** Closes the stream properly: nothing waits for it any more. */
  async saysGoodbye(): Promise<void> {
    this.#client?.sends('</stream:stream>');
    while ((await this.#next()).kind !== 'closed');
  }

  async #next(): Promise<Arrival> {
    if (!this.#client) throw new Error(`${this.name} is not connected`);
    return this.#client.connection.next('anything');
  }

  async #resumes(client: TestClient): Promise<boolean> {
    if (this.#token === undefined) return false;
    client.sends(`<resume xmlns="${sm}" previd="${this.#token}" h="${this.#taken}"/>`);
    const answer = await client.connection.next('an answer to <resume/>');
    if (answer.kind !== 'element') throw new Error(`${this.name} was cut off while resuming`);
    const h = answer.tree.attributes.get('h');
    if (h !== undefined) this.#acknowledged(Number(h));
    return answer.tree.name === 'resumed';
  }

  async #begins(client: TestClient): Promise<void> {
    await client.binds(placesOf(this.name).resource);
    if (!this.hasty) {
      await client.appears();
      for (const tree of client.arrival) this.#note(tree);
    }
    if (this.#managed) await this.#enables(client);
    if (this.hasty) client.sends('<presence/>');
  }

  async #enables(client: TestClient): Promise<void> {
    client.sends(`<enable xmlns="${sm}" resume="true"/>`);
    for (;;) {
      const arrival = await client.connection.next('<enabled/>');
      if (arrival.kind !== 'element') throw new Error(`${this.name} was cut off`);
      if (arrival.tree.name === 'enabled') {
        this.#token = arrival.tree.attributes.get('id');
        break;
      }
      this.#note(arrival.tree);
    }
    this.#taken = 0;
    this.#handled = 0;
  }

  #write({ id, to, padding = 0, whenStored }: Letter): void {
    const padded = padding > 0 ? `<rest xmlns="urn:rest">${'x'.repeat(padding)}</rest>` : '';
    const rule = `<rule action="${whenStored}" condition="deliver" value="stored"/>`;
    const rest = whenStored === undefined ? padded : `${padded}<amp xmlns="${amp}">${rule}</amp>`;
    const { local, resource } = placesOf(to);
    const here = to.includes('/') ? `${local}@localhost/${resource}` : `${local}@localhost`;
    const address = to.includes('@') ? to : here;
    this.#client?.sends(`<message type="chat" id="${id}" to="${address}"><body>${id}</body>${rest}</message>`);
  }

  #take(tree: Tree): void {
    if (tree.name === 'a') return this.#acknowledged(Number(tree.attributes.get('h')));
    if (tree.name === 'r') return this.#client?.sends(`<a xmlns="${sm}" h="${this.#taken}"/>`);
    // The end of the stream is told by an element that is no stanza.
    if (tree.name === 'error') return this.#closed(tree);
    this.#taken += 1;
    this.#note(tree);
  }

  #note(tree: Tree): void {
    if (tree.name !== 'message') return;
    if (childOf(tree, 'amp')?.attributes.has('status')) {
      this.reported.push(tree.attributes.get('id') ?? '');
      return;
    }
    const id = tree.attributes.get('id') ?? '';
    if (tree.attributes.get('type') === 'error') return this.#refused(id, tree);
    if (childOf(tree, 'body')?.text !== id) throw new Error(`another message has the id of ${id}`);
    this.received.push(id);
  }

  #closed(tree: Tree): void {
    this.closedBy = tree.children[0]?.name;
  }

  #refused(id: string, tree: Tree): void {
    if (!this.#notices.refused) throw new Error(`${this.name} got ${tree.raw}`);
    this.#notices.refused(id, childOf(tree, 'error')?.children[0]?.name ?? '');
  }

  #acknowledged(h: number): void {
    if (h < this.#handled) throw new Error(`the server took back an acknowledgment: ${h} after ${this.#handled}`);
    const letters = this.#unacknowledged.splice(0, h - this.#handled);
    this.#handled = h;
    this.#notices.acknowledged(letters);
  }
}
