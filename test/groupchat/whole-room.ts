import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArchiveIds } from '../../src/archives/archive-ids.ts';
import type { ConfirmedMessages } from '../../src/groupchat/confirmed-messages.ts';
import { readMessage, readPresence, readRequest } from '../../src/groupchat/read-command.ts';
import type { Announcement } from '../../src/groupchat/room/decision.ts';
import { type ExistingRoom, existing } from '../../src/groupchat/room/state.ts';
import { Rooms } from '../../src/groupchat/rooms.ts';
import { Jid } from '../../src/protocol/jid.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import type { OccupantChange, RoomStore } from '../../src/storage/rooms.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { childOf, parseTree, type Tree } from '../support/xml-tree.ts';
import { nameOf, type Step } from './random-steps.ts';
import { RoomView } from './room-view.ts';

/** Something that a client was sent, until it has read it. */
interface Mail {
  readonly text: string;
  /** Says that the client has it. Only archived messages have this: the archive keeps them instead of the session. */
  readonly confirm?: (() => void) | undefined;
}

/** A client whose session outlives its connection, and the restart of the server. */
export class RoomClient {
  readonly jid: Jid;
  readonly view = new RoomView();
  /** The ids of the messages that it has read since it has entered last, in the order in which they came first. */
  readonly heard: string[] = [];
  hasSession = true;
  /** Whether it has not come back yet after a restart. */
  isAway = false;
  /** Whether its session has the room among those to which it has sent presence. */
  isDirected = false;
  /** What it was told of its last step. */
  error: string | undefined;
  #mailbox: Mail[] = [];
  #unconfirmed: Mail[] = [];

  constructor(jid: string) {
    this.jid = Jid.parse(jid);
  }

  get unread(): number {
    return this.#mailbox.length;
  }

  gets(mail: Mail): void {
    this.#mailbox.push(mail);
  }

  /** Reads so much of what has come. */
  reads(count: number): void {
    for (const mail of this.#mailbox.splice(0, count)) {
      this.#take(parseTree(mail.text));
      if (mail.confirm) this.#unconfirmed.push(mail);
    }
  }

  /** Confirms everything that it has read. */
  confirms(): void {
    for (const { confirm } of this.#unconfirmed.splice(0)) confirm?.();
  }

  /** The server has stopped: the session keeps what only it has. After a crash, nothing. */
  outlives(orderly: boolean): void {
    this.#mailbox = orderly ? this.#mailbox.filter(({ confirm }) => !confirm) : [];
    this.#unconfirmed = [];
  }

  /** The session has ended, and with it everything that the client knows of the room. */
  ends(): void {
    this.isDirected = false;
    this.#mailbox = [];
    this.#unconfirmed = [];
    this.view.isInside = false;
    this.view.occupants.clear();
  }

  #take(tree: Tree): void {
    const error = childOf(tree, 'error');
    if (error) this.error = error.children[0]?.name;
    this.view.takes(tree);
    // The answer to the presence with which it has entered begins anew.
    if (tree.name === 'presence' && tree.attributes.get('id')?.startsWith('join') && !error) this.heard.length = 0;
    const id = tree.name === 'message' ? childOf(tree, 'stanza-id')?.attributes.get('id') : undefined;
    if (id !== undefined && !this.heard.includes(id)) this.heard.push(id);
  }
}

/**
 * One room on a server that stops, crashes and starts again: the rooms of the server, its real store, and clients with their sessions. A
 * crash loses what was written in its turn without anybody waiting for it, and everything that clients have not read.
 */
export class WholeRoom {
  readonly address = Jid.parse('hall@rooms.example');
  readonly clients: ReadonlyMap<string, RoomClient>;
  /** What the runs before this one have complained of. */
  readonly alarms: string[] = [];
  #log = new RecordingLog();
  readonly #clock = new ManualClock();
  #directory = '';
  #storage!: Storage;
  #rooms!: Rooms;
  #run = 0;
  /** Changes of occupants that are not in the store yet. */
  #pending: { readonly room: number; readonly change: OccupantChange }[] = [];

  constructor(clients: readonly string[]) {
    this.clients = new Map(clients.map((client) => [client, new RoomClient(client)]));
  }

  async start(): Promise<void> {
    if (this.#directory === '') this.#directory = await mkdtemp(join(tmpdir(), 'ampere-whole-room-'));
    const onFatal = (error: Error) => {
      throw error;
    };
    this.#storage = await openSqliteStorage({ dataDir: this.#directory, clock: this.#clock, onFatal });
    this.#run += 1;
    this.#log = new RecordingLog();
    const run = this.#run;
    this.#rooms = new Rooms({
      store: this.#lossy(this.#storage.rooms),
      ids: () => Promise.resolve(new ArchiveIds(Buffer.alloc(16))),
      limits: { maxRooms: 10, maxRoomsPerOwner: 10, unlimited: true },
      isLocalDomain: () => true,
      hasSession: (client) => this.clients.get(client.toString())?.hasSession === true,
      restored: Promise.resolve(),
      ping: () => Promise.resolve(undefined),
      // What a run says after its crash reaches nobody.
      send: (announcements, confirmed) => (run === this.#run ? this.#send(announcements, confirmed) : undefined),
      clock: this.#clock,
      log: this.#log,
    });
    await this.#rooms.recover();
    await this.#settle();
  }

  /** The server stops and starts again. Clients of `lost` do not come back. */
  async restarts(lost: ReadonlySet<string>, orderly: boolean): Promise<void> {
    if (orderly) await this.#rooms.stop();
    this.alarms.push(...this.#log.alarms);
    this.#run += 1;
    this.#pending = [];
    await this.#storage.close();
    for (const [name, client] of this.clients) {
      client.hasSession = client.hasSession && !lost.has(name);
      client.isAway = client.hasSession;
      if (client.hasSession) client.outlives(orderly);
      else client.ends();
    }
    await this.start();
  }

  /** A client has resumed its session after a restart. */
  async welcomesBack(client: RoomClient): Promise<void> {
    client.isAway = false;
    if (!client.isDirected) return;
    await this.#rooms.welcomeBack(this.address.withResource(nameOf(client.jid.toString())), client.jid);
    await this.#settle();
  }

  /** Sends what a client does. Resolves with what the client is told of it: `yes`, or the condition of an error. */
  async does(step: Step): Promise<string> {
    const client = this.client(step.client);
    client.error = undefined;
    const refusal = await this.begins(step);
    await this.#settle();
    client.reads(client.unread);
    const outcome = refusal ?? client.error ?? 'yes';
    if (outcome === 'yes' && step.nick !== '') client.isDirected = !step.stanza.includes('unavailable');
    return outcome;
  }

  /** Sends what a client does. Resolves with the condition of an error when everything that follows was said. */
  async begins({ client, stanza: text, nick }: Step): Promise<string | undefined> {
    const from = Jid.parse(client);
    const to = nick === '' ? this.address : this.address.withResource(nick);
    const stanza = readStanza(text).with({ from, to });
    const read = { presence: readPresence, message: readMessage, iq: readRequest }[stanza.kind];
    const wish = read(stanza, from, to);
    if (!wish) throw new Error(`means nothing: ${text}`);
    try {
      await this.#rooms.take(this.address, wish);
    } catch (error) {
      if (error instanceof StanzaError) return error.condition;
      throw error;
    }
    return undefined;
  }

  async room(): Promise<ExistingRoom> {
    return existing(await this.#rooms.stateOf(this.address));
  }

  /** The ids of the messages in the archive, in its order. */
  async archived(): Promise<string[]> {
    const { number = 0, ids } = await this.#rooms.archiveOf(this.address);
    const all = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
    const page = await this.#storage.rooms.page(number, all, 100_000, 'first');
    return page.map(({ id }) => ids.write(number, id));
  }

  client(name: string): RoomClient {
    const client = this.clients.get(name);
    if (!client) throw new Error(`there is no client ${name}`);
    return client;
  }

  /** Time passes, in which the server writes what clients have confirmed. */
  async secondPasses(): Promise<void> {
    this.#clock.advance(1000);
    await this.#settle();
  }

  async end(): Promise<void> {
    await this.#rooms.stop();
    this.alarms.push(...this.#log.alarms);
    await this.#storage.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Everything that follows was done, and is in the store. */
  async #settle(): Promise<void> {
    await this.#rooms.stateOf(this.address);
    this.#writePending();
    await new Promise((resolve) => setImmediate(resolve));
    await this.#rooms.stateOf(this.address);
  }

  #writePending(): void {
    for (const { room, change } of this.#pending.splice(0)) void this.#storage.rooms.changeOccupant(room, change);
  }

  /** The store, in which changes of occupants come late. What a run changes after its crash is lost. */
  #lossy(store: RoomStore): RoomStore {
    const run = this.#run;
    let isWriting = false;
    const changeOccupant = (room: number, change: OccupantChange) => {
      if (isWriting) return store.changeOccupant(room, change);
      if (run === this.#run) this.#pending.push({ room, change });
      return Promise.resolve();
    };
    // Whatever is written in the same turn becomes durable with it.
    const change = (...args: Parameters<RoomStore['change']>) => {
      isWriting = true;
      queueMicrotask(() => {
        isWriting = false;
      });
      return store.change(...args);
    };
    const end = () => {
      this.#writePending();
      return store.end();
    };
    return new Proxy(store, {
      get: (_, name: keyof RoomStore) => {
        if (name === 'changeOccupant') return changeOccupant;
        if (name === 'change') return change;
        return name === 'end' ? end : store[name].bind(store);
      },
    });
  }

  #send(announcements: readonly Announcement[], confirmed: ConfirmedMessages): void {
    for (const { stanza, to, isArchived, posted } of announcements) {
      const archived = isArchived && posted !== undefined ? confirmed.archived(posted) : undefined;
      for (const jid of to) {
        const client = this.clients.get(jid.toString());
        const confirm = archived && (() => archived.confirmed(jid));
        if (client?.hasSession) client.gets({ text: stanza.with({ to: jid }).toString(), confirm });
      }
    }
  }
}
