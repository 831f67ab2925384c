import { randomBytes } from 'node:crypto';
import { Jid } from '../protocol/jid.ts';
import { retractedId } from '../protocol/retraction.ts';
import { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { BarredUsers } from '../routing/extension.ts';
import { type MaybePromise, then } from '../routing/maybe-promise.ts';
import { firstIdAt } from '../storage/ordered-ids.ts';
import type { RoomStore } from '../storage/rooms.ts';
import type { Clock, Timer } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { TurnBudget } from '../support/turn-budget.ts';
import { parseFrame } from '../xml/parse-frame.ts';
import type { RoomArchive } from './archive-queries.ts';
import { type Held, heldRoom, isSomebodyUnaware, refusalAt } from './held-room.ts';
import { ejectionOf, type ListedUsers, refuseListed } from './listed-users.ts';
import { type LoadedRoom, loadRoom } from './loading.ts';
import type { Wish } from './read-command.ts';
import { recovery } from './recovery.ts';
import type { ArchivedTarget, Creation, OperatorCommand, RoomCommand } from './room/command.ts';
import type { RoomState } from './room/state.ts';
import { type CommandMaker, RoomOwner, type SendAnnouncements } from './room-owner.ts';
import { RoomPace } from './room-pace.ts';
import { SilentClients } from './silent-clients.ts';

/** How many rooms there may be. */
export interface RoomLimits {
  readonly maxRooms: number;
  readonly maxRoomsPerOwner: number;
  /** Users may do as much at once as they want. */
  readonly unlimited?: boolean;
}

/** Dependencies of the rooms of a server. */
export interface RoomsDeps {
  readonly store: RoomStore;
  /** Reads the key with which the numbers of messages become the ids that clients see. */
  readonly ids: () => Promise<RoomArchive['ids']>;
  readonly limits: RoomLimits;
  /** Whether a domain has accounts here: only their users may create rooms. */
  readonly isLocalDomain: (domain: string) => boolean;
  /** Users who may only enter rooms that have made them members. */
  readonly listed: ListedUsers;
  /** Whether a local client is connected or can come back. */
  readonly hasSession: (client: Jid) => boolean;
  /** Asks a client whether it is there, in the name of its occupant. Resolves with the error if it is not. */
  readonly ping: (occupant: Jid, client: Jid) => Promise<StanzaError | undefined>;
  /** Resolves when {@link hasSession} knows the sessions of the last run. */
  readonly restored: Promise<void>;
  readonly send: SendAnnouncements;
  readonly clock: Clock;
  readonly log: Log;
}

/** How many copies of presence all rooms together make in one turn of the event loop, and for how long. */
const presenceInTurn = { ms: 2, amount: 200 };
/** For how long a room without occupants stays in memory. */
const idleMs = 10 * 60 * 1000;
/** How long the creator of a room has to configure it. */
const lockMs = 5 * 60 * 1000;
/** How long an occupant has to answer a request. */
const requestMs = 2 * 60 * 1000;
const sweepMs = 60 * 1000;
/**
 * How long it takes until it is written which messages clients have confirmed, in milliseconds: one for each client in the last write, so
 * that the disk has a thousand of them in a second at most, or all clients once a second.
 */
const confirmedMs = { least: 50, most: 1000 };
/** How many addresses of rooms are read at once. */
const pageSize = 100;

/** All rooms of the server that are in memory. A room is loaded when it is addressed, and leaves memory when nobody is in it. */
export class Rooms {
  readonly #deps: RoomsDeps;
  readonly #held = new Map<string, Held | Promise<void>>();
  readonly #silent: SilentClients;
  readonly #turns: TurnBudget;
  readonly #pace: RoomPace;
  /** Rooms whose clients have confirmed messages that is not written yet. */
  readonly #unwritten = new Set<RoomOwner>();
  #confirmedPauseMs = confirmedMs.least;
  /** Whether the last run has ended with a crash. */
  #afterCrash: Promise<boolean> | undefined;
  #sweep: Timer | undefined;

  constructor(deps: RoomsDeps) {
    this.#deps = deps;
    this.#silent = new SilentClients(deps);
    this.#pace = new RoomPace(deps.clock);
    this.#turns = new TurnBudget(presenceInTurn, deps.clock);
  }

  /** The number of occupants of all rooms. */
  get occupants(): number {
    let sum = 0;
    for (const address of this.#held.keys()) sum += this.occupantsOf(address);
    return sum;
  }

  /** The number of occupants of one room. A room with occupants is in memory. */
  occupantsOf(address: string): number {
    const held = this.#held.get(address);
    if (!held || held instanceof Promise) return 0;
    const { state } = held.owner;
    return state.kind === 'existing' ? state.occupants.size : 0;
  }

  /** Loads the rooms in which somebody was when the last run ended. */
  async recover(): Promise<void> {
    let after = '';
    for (;;) {
      const page = await this.#deps.store.occupied(after, pageSize);
      for (const address of page) await this.stateOf(Jid.parse(address));
      after = page.at(-1) ?? after;
      if (page.length < pageSize) return;
    }
  }

  /** A client has resumed a session of an earlier run, in which it was in this room under this nickname. */
  async welcomeBack(occupant: Jid, client: Jid): Promise<void> {
    const afterCrash = await this.#hasCrashed();
    const nowMs = this.#deps.clock.nowMs();
    const back = { kind: 'resync', from: client, nick: occupant.resource, afterCrash, nowMs } as const;
    await this.#at(occupant.bare(), ({ owner, departed, unaware }) => {
      unaware.delete(client.toString());
      return owner.take(() => ({ ...back, departed }));
    });
  }

  /** The server stops: writes the confirmations that are left. */
  async stop(): Promise<void> {
    this.#sweep?.cancel();
    for (const held of this.#held.values()) if (!(held instanceof Promise)) await held.owner.settled();
    await this.#hasCrashed();
    await this.#writeConfirmed();
    // Otherwise the next run tells these clients what this one could not.
    if (![...this.#held.values()].some((held) => !(held instanceof Promise) && isSomebodyUnaware(held)))
      await this.#deps.store.end();
  }

  /** Gives a command of a client to the room at an address. Resolves when all announcements are sent. Throws StanzaError. */
  take(room: Jid, wish: Wish): MaybePromise<void> {
    return this.#at(room, (held) => {
      const { owner } = held;
      if (wish.kind === 'report-failure') return owner.report({ ...wish, nowMs: this.#deps.clock.nowMs() });
      if (!this.#deps.limits.unlimited) this.#pace.admit(room, wish);
      if (!this.#deps.isLocalDomain(wish.from.domain))
        held.heard.set(wish.from.toString(), this.#deps.clock.monotonicMs());
      const make = (state: RoomState, number: number | undefined) => this.#command(wish, held, state, number);
      const done = owner.take(wish.kind === 'enter' || wish.kind === 'leave' ? this.#inTurn(owner, make) : make);
      if (wish.kind === 'enter') {
        held.unaware.delete(wish.from.toString());
        this.#limitLock(owner);
      }
      if (wish.kind === 'ask') this.#limitRequest(owner, wish.id);
      return done;
    });
  }

  /** Why the room would refuse a message now, if it is in memory. Changes nothing. */
  refusalOf(room: Jid, wish: Wish): StanzaError | undefined {
    const held = this.#held.get(room.toString());
    return held && !(held instanceof Promise) ? refusalAt(held, wish, this.#deps.listed) : undefined;
  }

  /** The state of the room at an address after all earlier commands. */
  stateOf(room: Jid): MaybePromise<RoomState> {
    return this.#at(room, ({ owner }) => owner.settled());
  }

  /** The keys of the archive of the room at an address, and its state after all earlier commands. */
  archiveOf(room: Jid): MaybePromise<RoomArchive> {
    return this.#at(room, ({ owner, ids }) => then(owner.settled(), (state) => ({ state, number: owner.number, ids })));
  }

  /** Gives a command of the operator to the room at an address. */
  operate(room: Jid, command: OperatorCommand): MaybePromise<void> {
    return this.#at(room, ({ owner }) => owner.take(() => ({ ...command, nowMs: this.#deps.clock.nowMs() })));
  }

  /** Removes the archived messages of a room, or those before a moment; resolves with their number. It may end after `atLeast`. */
  async purge(room: Jid, beforeMs: number | undefined, atLeast: number | undefined): Promise<number> {
    const { number } = await this.archiveOf(room);
    if (number === undefined) return 0;
    const { store } = this.#deps;
    const beforeNumber = beforeMs === undefined ? store.newMessageId() : firstIdAt(beforeMs);
    const removed = await store.purge(number, beforeNumber, atLeast);
    await this.operate(room, { kind: 'forget-history', beforeNumber });
    return removed;
  }

  /** Takes all affiliations from a user whose account was removed. */
  async forget(user: Jid): Promise<void> {
    const { store, clock } = this.#deps;
    const forget = () => ({ kind: 'set-affiliation', user, affiliation: 'none', nowMs: clock.nowMs() }) as const;
    const addresses = await store.forget(user.toString());
    await Promise.all(addresses.map((address) => this.#ifHeld(address, forget)));
  }

  /** Removes the occupants that are barred. Resolves when they were told. */
  async expel(users: BarredUsers): Promise<void> {
    const told = [...this.#held.keys()].map(async (address) => {
      await this.#turns.take(1);
      await this.#ifHeld(address, (state) => ejectionOf(state, users, this.#deps.clock.nowMs()));
    });
    await Promise.all(told);
  }

  /** Gives a command to a room that is in memory. */
  async #ifHeld(address: string, make: CommandMaker): Promise<void> {
    await this.#held.get(address);
    const held = this.#held.get(address);
    if (held && !(held instanceof Promise)) await held.owner.take(make);
  }

  /** Uses the room at an address at once, or else when it is loaded. */
  #at<Result>(room: Jid, use: (held: Held) => MaybePromise<Result>): MaybePromise<Result> {
    const key = room.toString();
    const held = this.#held.get(key) ?? this.#load(room, key);
    // Looked up again: a room without occupants does not stay in memory.
    if (held instanceof Promise) return held.then(() => this.#at(room, use));
    held.usedAtMs = this.#deps.clock.monotonicMs();
    let result: MaybePromise<Result>;
    try {
      result = use(held);
    } finally {
      this.#forgetIfAbsent(key, held);
    }
    if (result instanceof Promise) return result.finally(() => this.#forgetIfAbsent(key, held));
    return result;
  }

  #load(room: Jid, key: string): Promise<void> {
    const { store, ids, clock, restored } = this.#deps;
    const loading = Promise.all([loadRoom(room, store), ids(), restored, this.#hasCrashed()]).then(
      ([loaded, written, , afterCrash]) => {
        const owner = this.#own(loaded, key);
        this.#held.set(key, heldRoom(loaded, owner, { ...this.#deps, ids: written, afterCrash }));
        this.#sweep ??= clock.after(sweepMs, this.#sweepNow);
      },
      (error: unknown) => {
        this.#held.delete(key);
        throw error;
      },
    );
    this.#held.set(key, loading);
    return loading;
  }

  /** The owner of a room. Its first command sorts out the clients of an earlier run of the server. */
  #own(loaded: LoadedRoom, key: string): RoomOwner {
    const { clock, send, log, store, listed } = this.#deps;
    const failed = (error: unknown) => log.error({ err: error, room: key }, 'a room could not be changed');
    const confirmed = () => this.#confirmedBy(owner);
    const afterAffiliations = (state: RoomState) => ejectionOf(state, listed, clock.nowMs());
    const nowMs = () => clock.nowMs();
    const deps = { store, nowMs, send, turns: this.#turns, afterAffiliations, confirmed, failed };
    const owner = new RoomOwner(loaded, deps);
    if (loaded.state.kind === 'absent' || (loaded.state.config.persistent && loaded.confirmed.length === 0))
      return owner;
    const recoveryDeps = { ...this.#deps, lastConfirmed: (client: Jid) => owner.lastConfirmed(client) };
    const recover = async (state: RoomState, number: number | undefined) => {
      return { kind: 'recover', nowMs: clock.nowMs(), ...(await recovery(state, number, recoveryDeps)) } as const;
    };
    void Promise.resolve(owner.take(recover)).catch(failed);
    return owner;
  }

  /** Whether the last run has ended with a crash. This run counts as one from now on, until it stops. */
  #hasCrashed(): Promise<boolean> {
    this.#afterCrash ??= this.#deps.store.begin().then((isOrderly) => !isOrderly);
    return this.#afterCrash;
  }

  #confirmedBy(owner: RoomOwner): void {
    this.#unwritten.add(owner);
    if (this.#unwritten.size > 1) return;
    this.#deps.clock.after(this.#confirmedPauseMs, () => {
      this.#writeConfirmed().catch((error: unknown) => {
        this.#deps.log.warn({ err: error }, 'clients in rooms may get messages again after a restart');
      });
    });
  }

  async #writeConfirmed(): Promise<void> {
    const owners = [...this.#unwritten];
    this.#unwritten.clear();
    const written = owners.map((owner) => owner.writeConfirmed());
    const clients = written.reduce((sum, { count }) => sum + count, 0);
    this.#confirmedPauseMs = Math.min(confirmedMs.most, Math.max(confirmedMs.least, clients));
    await Promise.all(written.map(({ done }) => done));
  }

  /** The command of somebody who comes or goes waits until everybody knows of those before: there may be many. */
  #inTurn(owner: RoomOwner, make: CommandMaker): CommandMaker {
    return (state, number) => then(owner.presenceSent, () => then(this.#turns.take(1), () => make(state, number)));
  }

  #command(wish: Wish, held: Held, state: RoomState, number: number | undefined): MaybePromise<RoomCommand> {
    refuseListed(state, wish, this.#deps.listed);
    const nowMs = this.#deps.clock.nowMs();
    switch (wish.kind) {
      case 'enter':
        return then(this.#creation(wish.from, state), (creation) => ({ ...wish, nowMs, creation }));
      case 'post': {
        const messageId = retractedId(wish.message.payload);
        if (messageId === undefined) return { ...wish, nowMs, archive: this.#newPlace(held, number) };
        return this.#messageAt(held, number, messageId).then((target) => {
          return { ...wish, nowMs, target, archive: this.#newPlace(held, number) };
        });
      }
      case 'moderate':
        return this.#messageAt(held, number, wish.messageId).then((target) => {
          return { ...wish, nowMs, target, archive: this.#newPlace(held, number) };
        });
      default:
        return { ...wish, nowMs };
    }
  }

  /** The place of the next message in the archive. */
  #newPlace({ ids }: Held, room: number | undefined): { readonly number: number; readonly id: string } {
    const number = this.#deps.store.newMessageId();
    return { number, id: ids.write(room ?? 0, number) };
  }

  /** The message with this id in the archive of a room. */
  async #messageAt({ ids }: Held, room: number | undefined, messageId: string): Promise<ArchivedTarget | undefined> {
    if (room === undefined) return undefined;
    const number = ids.read(room, messageId);
    const [row] = number === undefined ? [] : await this.#deps.store.find(room, [number]);
    if (!row) return undefined;
    const { id, bytes, author, occupantId } = row;
    return { number: id, message: Stanza.fromFrame(parseFrame(bytes)), author: Jid.parse(author), occupantId };
  }

  #creation(from: Jid, state: RoomState): MaybePromise<Creation> {
    const creation = { occupantKey: randomBytes(32) };
    if (state.kind === 'existing') return creation;
    if (!this.#deps.isLocalDomain(from.domain))
      return { ...creation, refusal: StanzaError.notAllowed('only users of this server create rooms') };
    const { maxRooms, maxRoomsPerOwner } = this.#deps.limits;
    return this.#deps.store.countRooms(from.bare().toString()).then(({ all, owned }) => {
      if (all < maxRooms && owned < maxRoomsPerOwner) return creation;
      return { ...creation, refusal: StanzaError.resourceConstraint('there are too many rooms') };
    });
  }

  /** A creator who does not configure the room must not keep the others out. */
  #limitLock(owner: RoomOwner): void {
    const { clock } = this.#deps;
    void then(owner.settled(), (state) => {
      if (state.kind !== 'existing' || !state.lockedFor) return;
      const { number } = owner;
      clock.after(lockMs, () => {
        // Another room may have taken the address.
        if (owner.number === number) void owner.take(() => ({ kind: 'unlock', nowMs: clock.nowMs() }));
      });
    });
  }

  #limitRequest(owner: RoomOwner, id: string): void {
    const { clock } = this.#deps;
    clock.after(requestMs, () => void owner.take(() => ({ kind: 'expire-request', nowMs: clock.nowMs(), id })));
  }

  #checkSilent({ owner, heard }: Held): void {
    if (owner.state.kind === 'absent') return;
    this.#silent.check(owner.state, heard, (from, error) => {
      owner.report({ kind: 'report-failure', from, id: undefined, error, nowMs: this.#deps.clock.nowMs() });
    });
  }

  #forgetIfAbsent(key: string, held: Held): void {
    const { owner } = held;
    if (owner.isIdle && owner.state.kind === 'absent' && this.#held.get(key) === held) this.#held.delete(key);
  }

  readonly #sweepNow = (): void => {
    const { clock } = this.#deps;
    const idleSinceMs = clock.monotonicMs() - idleMs;
    for (const [key, held] of this.#held) {
      if (held instanceof Promise) continue;
      this.#checkSilent(held);
      if (!held.owner.isIdle || held.usedAtMs > idleSinceMs) continue;
      const { state } = held.owner;
      if (state.kind === 'absent' || state.occupants.size === 0) this.#held.delete(key);
    }
    this.#sweep = this.#held.size > 0 ? clock.after(sweepMs, this.#sweepNow) : undefined;
  };
}
