import { expect } from 'chai';
import type { ArchivedEntry } from '../support/read-archive.ts';
import { childOf, type Tree } from '../support/xml-tree.ts';
import { ResilientClient, type SentMessage } from './resilient-client.ts';
import type { ServerFixture, ServerUnderTest } from './server-under-test.ts';

/** The number of unacknowledged messages of one writer. */
const window = 20;

/** The clients of a workload, and what they send. */
export interface WorkloadOptions {
  /** Clients that send messages. They have stream management. */
  readonly writers: readonly string[];
  /** Clients that are written to, in turn, and whether they have stream management. */
  readonly readers: Readonly<Record<string, boolean>>;
  /** The size of an additional child of each message, in bytes. */
  readonly padding?: number;
  /** The actions of the rules `deliver=stored` of messages, in turn. */
  readonly whenStored?: readonly NonNullable<SentMessage['whenStored']>[];
}

/** Writers and readers on a server that is killed repeatedly, and the checks at the end. */
export class Workload {
  /** The acknowledged messages, in order. */
  readonly acknowledged: SentMessage[] = [];
  readonly writers: readonly ResilientClient[];
  readonly readers: readonly ResilientClient[];
  readonly #padding: number;
  readonly #rules: WorkloadOptions['whenStored'];
  readonly #archives = new Map<string, readonly ArchivedEntry[]>();
  #written = 0;
  /** Stanza-ids that clients got and archives do not have. */
  #unwritten = 0;

  constructor({ writers, readers, padding = 0, whenStored }: WorkloadOptions) {
    const events = { acknowledged: (messages: readonly SentMessage[]) => void this.acknowledged.push(...messages) };
    this.writers = writers.map((name) => new ResilientClient(name, true, events));
    this.readers = Object.entries(readers).map(([name, managed]) => new ResilientClient(name, managed, events));
    this.#padding = padding;
    this.#rules = whenStored;
  }

  get all(): readonly ResilientClient[] {
    return [...this.writers, ...this.readers];
  }

  get names(): string[] {
    return this.all.map(({ name }) => name);
  }

  reader(name: string): ResilientClient {
    return this.readers.find((client) => client.name === name) ?? expect.fail(`there is no reader ${name}`);
  }

  /** Every writer sends until its window is full. */
  write(): void {
    for (const writer of this.writers) {
      while (writer.unacknowledged < window) {
        const to = this.readers[this.#written % this.readers.length]?.name ?? '';
        const whenStored = this.#rules?.[this.#written % this.#rules.length];
        const rule = whenStored && { whenStored };
        writer.sends({ id: `${writer.name}-${this.#written}`, to, padding: this.#padding, ...rule });
        this.#written += 1;
      }
    }
  }

  /** Writes, and lets `clients` read, until their connections are lost. Calls `each` for every element they receive. */
  async runsUntilDisconnected(clients: readonly ResilientClient[], each: () => void): Promise<void> {
    const go = () => {
      each();
      this.write();
    };
    go();
    await Promise.all(clients.map((client) => client.reads(go)));
  }

  /** Writes until `count` more messages are acknowledged. */
  async sendsAcknowledged(count: number): Promise<void> {
    const until = this.acknowledged.length + count;
    while (this.acknowledged.length < until) {
      this.write();
      for (const writer of this.writers) await writer.readsAcknowledgments();
    }
  }

  /** All clients reconnect to the last server and read everything. Then it stops, and its database must be intact. */
  async finishes(fixture: ServerFixture, server: ServerUnderTest): Promise<void> {
    for (const client of this.all) await client.connects(server.port);
    for (const writer of this.writers) await writer.readsAcknowledgments();
    for (const client of this.all) await client.readsAll();
    for (const client of this.all) this.#archives.set(client.name, await client.readsArchive(server.port));
    for (const client of this.all) client.disconnects();
    await server.stop();
    fixture.expectSoundDatabase();
  }

  /** Expects that no acknowledged message is lost, and that each writer's messages to each reader are in order. */
  expectNothingLost(acknowledged: readonly SentMessage[] = this.acknowledged): void {
    const received = new Map(this.readers.map((client) => [client.name, new Set(client.received)]));
    const lost = acknowledged.filter(({ id, to }) => !received.get(to)?.has(id));
    expect(lost.map(({ id, to }) => `${id} to ${to}`)).to.deep.equal([]);
    for (const { name, received: ids } of this.readers) expect(disorder(ids), name).to.deep.equal([]);
  }

  /**
   * Expects that every acknowledged message is in the archives of both ends, that nobody has forged one, that each writer's messages to
   * each reader are in order, and that the archive has each id that a client got. A message was delivered before its row was durable, so
   * a kill can lose the row; then its writer, who was not acknowledged, has sent it again, and it has another id.
   */
  expectArchived(): void {
    const archived = (name: string) => (this.#archives.get(name) ?? []).map(({ message }) => idOf(message));
    for (const { name } of this.all) {
      const ids = new Set(archived(name));
      const own = this.acknowledged.filter(({ id, to }) => to === name || id.startsWith(`${name}-`));
      expect(
        own.filter(({ id }) => !ids.has(id)).map(({ id }) => id),
        `missing in ${name}'s archive`,
      ).to.deep.equal([]);
      expect(ids.size, `messages in ${name}'s archive`).to.equal(own.length);
    }
    for (const { name, stanzaIds } of this.readers) {
      const entries = new Map(this.#archives.get(name)?.map(({ id, message }) => [id, idOf(message)]));
      const lost = [...stanzaIds].filter(([id]) => !entries.has(id));
      this.#unwritten += lost.length;
      const found = new Set(entries.values());
      expect(
        lost.filter(([, id]) => !found.has(id)),
        `ids that ${name} got`,
      ).to.deep.equal([]);
      expect([...stanzaIds].filter(([id, message]) => (entries.get(id) ?? message) !== message)).to.deep.equal([]);
      expect(disorder(archived(name)), `${name}'s archive`).to.deep.equal([]);
    }
  }

  /** Expects that the writer of every acknowledged message got a report. */
  expectEverythingReported(): void {
    const reported = new Set(this.writers.flatMap((writer) => writer.reported));
    const silent = this.acknowledged.filter(({ id }) => !reported.has(id));
    expect(silent.map(({ id, whenStored }) => `${whenStored} ${id}`)).to.deep.equal([]);
  }

  /** A summary for the output of the test. */
  get figures(): string {
    const repeated = this.readers.reduce((sum, { received }) => sum + received.length - new Set(received).size, 0);
    const given = this.readers.reduce((sum, { stanzaIds }) => sum + stanzaIds.size, 0);
    const archived = given === 0 ? '' : `; ${given} stanza-ids, ${this.#unwritten} of messages archived again`;
    return `${this.acknowledged.length} acknowledged, 0 lost, ${repeated} repeated${archived}`;
  }
}

/** The id of an archived message, which is its text, too. */
function idOf(message: Tree): string {
  const id = message.attributes.get('id') ?? '';
  expect(childOf(message, 'body')?.text).to.equal(id);
  return id;
}

/** The ids of messages whose first copy came after that of a later message of the same writer. */
function disorder(ids: readonly string[]): string[] {
  const latest = new Map<string, number>();
  return [...new Set(ids)].filter((id) => {
    const [writer = '', number] = id.split('-');
    const early = Number(number) < (latest.get(writer) ?? -1);
    latest.set(writer, Math.max(Number(number), latest.get(writer) ?? -1));
    return early;
  });
}
