import { type ArchivedEntry, readArchive } from '../support/read-archive.ts';
import { TestClient } from '../support/test-client.ts';
import type { Arrival } from '../support/test-connection.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';

const sm = 'urn:xmpp:sm:3';
const amp = 'http://jabber.org/protocol/amp';

/** A message as it was sent. `to` is the name of a local user, or an address elsewhere. */
export interface SentMessage {
  readonly id: string;
  readonly to: string;
  /** The size of an additional child, in bytes. */
  readonly padding?: number;
  /** The action of its only rule, `deliver=stored` (XEP-0079). */
  readonly whenStored?: 'notify' | 'alert' | 'error';
}

/** Called by a client for events that a test counts. */
export interface ClientEvents {
  acknowledged(messages: readonly SentMessage[]): void;
  /** A message came back with this condition. Without this function that is an error. */
  refused?(id: string, condition: string): void;
}

/** The account and the resource of a name such as `romeo` or `romeo/2`. */
function placesOf(name: string): { readonly local: string; readonly resource: string } {
  const [local = '', resource = 'home'] = name.split('/');
  return { local, resource };
}

/** A client that reconnects after every crash, resumes its session, and repeats messages that were not acknowledged. */
export class ResilientClient {
  readonly name: string;
  /** The ids of received messages, in order, with repetitions. */
  readonly received: string[] = [];
  /** The ids of messages by the ids that the archive of the account has given them (XEP-0359). */
  readonly stanzaIds = new Map<string, string>();
  /** The ids of messages that rules have reported on, with repetitions. */
  readonly reported: string[] = [];
  /** Whether it enables stream management before it sends presence, and does not wait for stored messages. */
  enablesFirst = false;
  /** Whether the current session was resumed. */
  resumed = false;
  /** The stream error of the last stream, if any. */
  closedBy: string | undefined;
  readonly #managed: boolean;
  readonly #events: ClientEvents;
  #client: TestClient | undefined;
  #token: string | undefined;
  /** The number of stanzas received since stream management was enabled. */
  #taken = 0;
  #unacknowledged: SentMessage[] = [];
  /** The number of sent stanzas acknowledged since stream management was enabled. */
  #handled = 0;

  constructor(name: string, managed: boolean, events: ClientEvents) {
    this.name = name;
    this.#managed = managed;
    this.#events = events;
  }

  /** The number of messages that are not acknowledged yet. */
  get unacknowledged(): number {
    return this.#unacknowledged.length;
  }

  /** Connects, resumes its session if possible, and repeats messages that were not acknowledged. */
  async connects(port: number): Promise<void> {
    const client = await TestClient.connect({ host: '127.0.0.1', port }, 'localhost');
    const { local } = placesOf(this.name);
    this.#client = client;
    await client.opens();
    await client.authenticates({ username: local, password: `${local}-password` });
    this.resumed = await this.#resumes(client);
    if (!this.resumed) await this.#begins(client);
    for (const message of this.#unacknowledged) this.#write(message);
    if (this.#unacknowledged.length > 0) client.sends(`<r xmlns="${sm}"/>`);
  }

  /** Sends a message and asks for its acknowledgment. */
  sends(message: SentMessage): void {
    this.#unacknowledged.push(message);
    this.#write(message);
    this.#client?.sends(`<r xmlns="${sm}"/>`);
  }

  /** Reads until the connection is lost; calls `after` for every element. */
  async reads(after: () => void): Promise<void> {
    for (;;) {
      const arrival = await this.#next();
      if (arrival.kind !== 'element') return;
      this.#take(arrival.tree);
      after();
    }
  }

  /** Reads until all sent messages are acknowledged. */
  async readsAcknowledgments(): Promise<void> {
    while (this.#unacknowledged.length > 0) {
      const arrival = await this.#next();
      if (arrival.kind !== 'element') throw new Error(`${this.name} was cut off`);
      this.#take(arrival.tree);
    }
  }

  /** Reads until no new message precedes the answers to many pings in a row. */
  async readsAll(): Promise<void> {
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

  /** The messages in the archive of its account, read by another client. */
  async readsArchive(port: number): Promise<readonly ArchivedEntry[]> {
    const client = await TestClient.connect({ host: '127.0.0.1', port }, 'localhost');
    const { local } = placesOf(this.name);
    await client.opens();
    await client.authenticates({ username: local, password: `${local}-password` });
    await client.binds('reader');
    const entries = await readArchive(client);
    client.disconnects();
    return entries;
  }

  /** Forgets its session: the next connection begins a new one. */
  forgetsSession(): void {
    this.#token = undefined;
  }

  /** Stops reading from the connection. */
  stopsReading(): void {
    this.#client?.connection.pauseReading();
  }

  /** Drops the connection without closing the stream. */
  disconnects(): void {
    this.#client?.disconnects();
  }

  /** Closes the stream, which ends the session. */
  async closes(): Promise<void> {
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
    if (!this.enablesFirst) {
      await client.appears();
      for (const tree of client.arrival) this.#note(tree);
    }
    if (this.#managed) await this.#enables(client);
    if (this.enablesFirst) client.sends('<presence/>');
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

  #write({ id, to, padding = 0, whenStored }: SentMessage): void {
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
    // A stream error is not a stanza: it does not count.
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
    const stanzaId = childOf(tree, 'stanza-id')?.attributes.get('id');
    if (stanzaId !== undefined) this.stanzaIds.set(stanzaId, id);
  }

  #closed(tree: Tree): void {
    this.closedBy = tree.children[0]?.name;
  }

  #refused(id: string, tree: Tree): void {
    if (!this.#events.refused) throw new Error(`${this.name} got ${tree.raw}`);
    this.#events.refused(id, childOf(tree, 'error')?.children[0]?.name ?? '');
  }

  #acknowledged(h: number): void {
    if (h < this.#handled) throw new Error(`the server took back an acknowledgment: ${h} after ${this.#handled}`);
    const messages = this.#unacknowledged.splice(0, h - this.#handled);
    this.#handled = h;
    this.#events.acknowledged(messages);
  }
}
