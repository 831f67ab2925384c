import { TestClient } from '../support/test-client.ts';
import type { Arrival } from '../support/test-connection.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';

const sm = 'urn:xmpp:sm:3';
const muc = 'http://jabber.org/protocol/muc';

/** A message of the room as a client has got it. */
export interface HeardMessage {
  /** The id in the archive. */
  readonly id: string;
  readonly body: string;
}

/** A client in a room that comes back after every crash. It resumes its session, and enters again only if it is told that it is out. */
export class RoomClient {
  readonly name: string;
  readonly room: string;
  /** The messages in the order in which they came first. */
  readonly heard: HeardMessage[] = [];
  /** How many came again. */
  repeated = 0;
  /** How often it was told that it is not in the room any more. */
  removals = 0;
  /** The nicknames that it sees in the room. */
  readonly present = new Set<string>();
  readonly everPresent = new Set<string>();
  readonly #ids = new Set<string>();
  readonly #waiting = new Map<string, string>();
  #client: TestClient | undefined;
  #token: string | undefined;
  #taken = 0;
  #isInside = false;
  #written = 0;

  readonly #managed: boolean;

  /** Without stream management (`managed`), a crash ends its session. */
  constructor(name: string, room: string, managed = true) {
    this.name = name;
    this.room = room;
    this.#managed = managed;
  }

  /** How many of its own messages have not come back to it. */
  get unheard(): number {
    return this.#waiting.size;
  }

  /** Connects, and resumes its session if that is possible. What has not come back is sent again. */
  async connects(port: number): Promise<void> {
    const client = await TestClient.connect({ host: '127.0.0.1', port }, 'localhost');
    this.#client = client;
    await client.opens();
    await client.authenticates({ username: this.name, password: `${this.name}-password` });
    if (!(await this.#resumes(client))) await this.#begins(client);
    while (!this.#isInside) await this.reads();
    await this.readsAll();
    for (const [id, body] of this.#waiting) this.#write(id, body);
  }

  says(): void {
    const id = `${this.name}-${this.#written++}`;
    this.#waiting.set(id, id);
    this.#write(id, id);
  }

  /** Reads one element; false if the connection is lost. */
  async reads(): Promise<boolean> {
    const arrival = await this.#next();
    if (arrival.kind !== 'element') return false;
    this.#take(arrival.tree);
    return true;
  }

  /** Reads until the server has answered a ping. */
  async readsAll(): Promise<void> {
    const id = `ping-${this.#written++}`;
    this.#client?.sends(`<iq id="${id}" type="get" to="localhost"><ping xmlns="urn:xmpp:ping"/></iq>`);
    for (;;) {
      const arrival = await this.#next();
      if (arrival.kind !== 'element') throw new Error(`${this.name} was cut off`);
      this.#take(arrival.tree);
      if (arrival.tree.attributes.get('id') === id) return;
    }
  }

  stopsReading(): void {
    this.#client?.connection.pauseReading();
  }

  /** Drops the connection without closing the stream. */
  disconnects(): void {
    this.#client?.disconnects();
  }

  #next(): Promise<Arrival> {
    if (!this.#client) throw new Error(`${this.name} is not connected`);
    return this.#client.connection.next('anything');
  }

  async #resumes(client: TestClient): Promise<boolean> {
    if (this.#token === undefined) return false;
    client.sends(`<resume xmlns="${sm}" previd="${this.#token}" h="${this.#taken}"/>`);
    const answer = await client.connection.next('an answer to <resume/>');
    if (answer.kind !== 'element') throw new Error(`${this.name} was cut off while resuming`);
    return answer.tree.name === 'resumed';
  }

  async #begins(client: TestClient): Promise<void> {
    await client.binds('home');
    if (this.#managed) await this.#enables(client);
    this.#isInside = false;
    client.sends('<presence/>');
    this.#enter();
  }

  async #enables(client: TestClient): Promise<void> {
    client.sends(`<enable xmlns="${sm}" resume="true"/>`);
    const answer = await client.connection.next('<enabled/>');
    if (answer.kind !== 'element') throw new Error(`${this.name} was cut off`);
    this.#token = answer.tree.attributes.get('id');
    this.#taken = 0;
  }

  #enter(): void {
    this.present.clear();
    this.#client?.sends(`<presence to="${this.room}/${this.name}"><x xmlns="${muc}"/></presence>`);
  }

  /** Opens a new room for the others. */
  #opens(): void {
    const query = `<query xmlns="${muc}#owner"><x xmlns="jabber:x:data" type="submit"/></query>`;
    this.#client?.sends(`<iq id="open" type="set" to="${this.room}">${query}</iq>`);
  }

  #write(id: string, body: string): void {
    this.#client?.sends(`<message to="${this.room}" type="groupchat" id="${id}"><body>${body}</body></message>`);
  }

  #take(tree: Tree): void {
    if (tree.name === 'a') return;
    if (tree.name === 'r') return this.#client?.sends(`<a xmlns="${sm}" h="${this.#taken}"/>`);
    if (!['message', 'presence', 'iq'].includes(tree.name)) return;
    this.#taken += 1;
    if (tree.attributes.get('from')?.split('/')[0] !== this.room) return;
    if (tree.name === 'presence') this.#see(tree);
    if (tree.name === 'message') this.#hear(tree);
  }

  #see(tree: Tree): void {
    const nick = tree.attributes.get('from')?.split('/')[1] ?? '';
    const type = tree.attributes.get('type');
    if (type === 'error') throw new Error(`${this.name} got ${tree.raw}`);
    if (type === undefined) this.everPresent.add(nick);
    if (type === undefined) this.present.add(nick);
    else this.present.delete(nick);
    const x = childOf(tree, 'x');
    const codes = x?.children.map(({ attributes }) => attributes.get('code')) ?? [];
    if (!codes.includes('110')) return;
    if (codes.includes('201')) this.#opens();
    this.#isInside = type === undefined;
    if (this.#isInside) return;
    this.removals += 1;
    this.#enter();
  }

  #hear(tree: Tree): void {
    if (tree.attributes.get('type') === 'error') throw new Error(`${this.name} got ${tree.raw}`);
    const body = childOf(tree, 'body')?.text;
    if (body === undefined) return;
    const id = childOf(tree, 'stanza-id')?.attributes.get('id') ?? '';
    this.#waiting.delete(tree.attributes.get('id') ?? '');
    if (this.#ids.has(id)) {
      this.repeated += 1;
      return;
    }
    this.#ids.add(id);
    this.heard.push({ id, body });
  }
}
