import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArchiveIds } from '../../src/archives/archive-ids.ts';
import type { ConfirmedMessages } from '../../src/groupchat/confirmed-messages.ts';
import { readMessage, readPresence, readRequest, type Wish } from '../../src/groupchat/read-command.ts';
import type { Announcement } from '../../src/groupchat/room/decision.ts';
import { type ExistingRoom, existing } from '../../src/groupchat/room/state.ts';
import { Rooms } from '../../src/groupchat/rooms.ts';
import { Jid } from '../../src/protocol/jid.ts';
import type { Stanza } from '../../src/protocol/stanza.ts';
import { StanzaError } from '../../src/protocol/stanza-error.ts';
import { errorReply } from '../../src/protocol/stanza-replies.ts';
import type { OccupantChange, RoomStore } from '../../src/storage/rooms.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/open-sqlite-storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { readStanza } from '../protocol/read-stanza.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { nameOf, type Step } from './random-steps.ts';
import { RoomClient } from './room-client.ts';

/** The domain whose users have sessions here. The users of all others come through a link. */
const localDomain = 'a.example';

/** One room of the server, and its clients. */
export class WholeRoom {
  readonly address: Jid;
  readonly clients: ReadonlyMap<string, RoomClient>;
  readonly #server: WholeServer;

  constructor(address: string, clients: readonly string[], server: WholeServer) {
    this.address = Jid.parse(address);
    const isLocal = (client: string) => Jid.parse(client).domain === localDomain;
    this.clients = new Map(clients.map((client) => [client, new RoomClient(client, isLocal(client))]));
    this.#server = server;
  }

  /** A client has resumed its session after a restart. */
  async welcomesBack(client: RoomClient): Promise<void> {
    client.isAway = false;
    if (!client.isDirected) return;
    const occupant = this.address.withResource(nameOf(client.jid.toString()));
    await this.#server.rooms.welcomeBack(occupant, client.jid);
    await this.#server.settle();
  }

  /** Sends what a client does. Resolves with what the client is told of it: `yes`, or the condition of an error. */
  async does(step: Step): Promise<string> {
    const client = this.client(step.client);
    client.error = undefined;
    const refusal = await this.begins(step);
    await this.#server.settle();
    client.reads(client.unread);
    const outcome = refusal ?? client.error ?? 'yes';
    if (outcome === 'yes' && step.stanza.startsWith('<presence'))
      client.isDirected = !step.stanza.includes('unavailable');
    return outcome;
  }

  /** Sends what a client does. Resolves with the condition of an error when everything that follows was said. */
  async begins({ client, stanza, nick }: Step): Promise<string | undefined> {
    const to = nick === '' ? this.address : this.address.withResource(nick);
    const wish = wishOf(readStanza(stanza).with({ from: Jid.parse(client), to }));
    if (!wish) throw new Error(`means nothing: ${stanza}`);
    try {
      await this.#server.rooms.take(this.address, wish);
    } catch (error) {
      if (error instanceof StanzaError) return error.condition;
      throw error;
    }
    return undefined;
  }

  /** The server of some clients cannot be reached: everything that is on its way to them comes back. */
  async losesLink(clients: readonly string[]): Promise<void> {
    for (const name of clients) {
      for (const stanza of this.client(name).bounces()) {
        const error = errorReply(stanza, StanzaError.remoteServerTimeout());
        const wish = error && wishOf(error);
        if (wish) await this.#server.rooms.take(this.address, wish);
      }
    }
    await this.#server.settle();
  }

  async state(): Promise<ExistingRoom> {
    return existing(await this.#server.rooms.stateOf(this.address));
  }

  /** The ids of the messages in the archive, in its order. */
  archived(): Promise<string[]> {
    return this.#server.archived(this.address);
  }

  client(name: string): RoomClient {
    const client = this.clients.get(name);
    if (!client) throw new Error(`there is no client ${name}`);
    return client;
  }
}

/**
 * A server with rooms that stops, crashes and starts again: its real store, and clients with their sessions. A crash loses what was written
 * in its turn without anybody waiting for it, and everything that clients have not read.
 */
export class WholeServer {
  /** The rooms whose clients are told, by address. */
  readonly wholeRooms: ReadonlyMap<string, WholeRoom>;
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

  /** The same clients are in all rooms. */
  constructor(addresses: readonly string[], clients: readonly string[]) {
    this.wholeRooms = new Map(addresses.map((address) => [address, new WholeRoom(address, clients, this)]));
  }

  get rooms(): Rooms {
    return this.#rooms;
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
      listed: { has: () => false, sparesMembers: true, reason: '', refused: () => undefined },
      store: this.#lossy(this.#storage.rooms),
      ids: () => Promise.resolve(new ArchiveIds(Buffer.alloc(16))),
      limits: { maxRooms: 10, maxRoomsPerOwner: 10, unlimited: true },
      isLocalDomain: (domain) => domain === localDomain,
      hasSession: (client) => this.#clientsOf(client).some(({ hasSession }) => hasSession),
      restored: Promise.resolve(),
      ping: () => Promise.resolve(undefined),
      // What a run says after its crash reaches nobody.
      send: (announcements, confirmed) => (run === this.#run ? this.#send(announcements, confirmed) : undefined),
      clock: this.#clock,
      log: this.#log,
    });
    await this.#rooms.recover();
    await this.settle();
  }

  /** The server stops and starts again. Clients of `lost` do not come back. */
  async restarts(lost: ReadonlySet<string>, orderly: boolean): Promise<void> {
    if (orderly) await this.#rooms.stop();
    this.alarms.push(...this.#log.alarms);
    this.#run += 1;
    this.#pending = [];
    await this.#storage.close();
    for (const { clients } of this.wholeRooms.values()) {
      for (const [name, client] of clients) {
        client.hasSession = client.hasSession && !lost.has(name);
        client.isAway = client.hasSession && client.isLocal;
        if (client.hasSession) client.outlives(orderly);
        else client.ends();
      }
    }
    await this.start();
  }

  /** The ids of the messages in the archive of a room, in its order. */
  async archived(address: Jid): Promise<string[]> {
    const { number = 0, ids } = await this.#rooms.archiveOf(address);
    const all = { afterId: 0, beforeId: Number.POSITIVE_INFINITY };
    const page = await this.#storage.rooms.page(number, all, 100_000, 'first');
    return page.map(({ id }) => ids.write(number, id));
  }

  /** Time passes, in which the server writes what clients have confirmed. */
  async secondPasses(): Promise<void> {
    this.#clock.advance(1000);
    await this.settle();
  }

  async end(): Promise<void> {
    await this.#rooms.stop();
    this.alarms.push(...this.#log.alarms);
    await this.#storage.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Everything that follows was done, and is in the store. */
  async settle(): Promise<void> {
    await this.#decided();
    this.#writePending();
    await new Promise((resolve) => setImmediate(resolve));
    await this.#decided();
  }

  async #decided(): Promise<void> {
    for (const { address } of this.wholeRooms.values()) await this.#rooms.stateOf(address);
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
        const client = this.#clientIn(stanza.from, jid);
        const confirm = archived && (() => archived.confirmed(jid));
        if (client?.hasSession) client.gets({ stanza: stanza.with({ to: jid }), confirm });
      }
    }
  }

  #clientIn(from: Jid | undefined, client: Jid): RoomClient | undefined {
    return this.wholeRooms.get(String(from?.bare()))?.clients.get(client.toString());
  }

  #clientsOf(jid: Jid): RoomClient[] {
    return [...this.wholeRooms.values()].flatMap(({ clients }) => clients.get(jid.toString()) ?? []);
  }
}

function wishOf(stanza: Stanza): Wish | undefined {
  const { kind, from, to } = stanza;
  if (!from || !to) throw new Error('a stanza to a room has both addresses');
  return { presence: readPresence, message: readMessage, iq: readRequest }[kind](stanza, from, to);
}
