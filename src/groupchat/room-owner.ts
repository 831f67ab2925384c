import type { Jid } from '../protocol/jid.ts';
import { type MaybePromise, then } from '../routing/maybe-promise.ts';
import type { RoomStore } from '../storage/rooms.ts';
import type { TurnBudget } from '../support/turn-budget.ts';
import { AnnouncementQueue, type Writing } from './announcement-queue.ts';
import { ConfirmedMessages } from './confirmed-messages.ts';
import type { LoadedRoom } from './loading.ts';
import { sendPaced } from './paced-sending.ts';
import { applied } from './room/apply.ts';
import type { ReportFailure, RoomCommand } from './room/command.ts';
import { decide } from './room/decide.ts';
import type { Announcement, Decision, RoomChange } from './room/decision.ts';
import { isOver } from './room/ending.ts';
import type { RoomState } from './room/state.ts';
import { configText, listingOf, occupantChanges, storedChanges } from './stored-changes.ts';

/** Dependencies of the owner of a room. */
interface RoomOwnerDeps {
  readonly store: Pick<RoomStore, 'create' | 'change' | 'destroy' | 'append' | 'newMessageId' | 'changeOccupant'>;
  readonly nowMs: () => number;
  readonly send: SendAnnouncements;
  readonly turns: Pick<TurnBudget, 'take'>;
  /** What the room does next when affiliations have changed. */
  readonly afterAffiliations: (room: RoomState) => RoomCommand;
  /** Called when clients have confirmed messages, once until {@link RoomOwner.writeConfirmed} is called. */
  readonly confirmed: () => void;
  /** Takes note of a failure that nobody is told of. */
  readonly failed: (error: unknown) => void;
}

/** Sends announcements to clients, in order. `confirmed` takes note of archived messages that clients have. */
export type SendAnnouncements = (
  announcements: readonly Announcement[],
  confirmed: ConfirmedMessages,
) => MaybePromise<void>;

/** Makes a command at the moment at which the room takes it; `number` is the number of the room in the store. */
export type CommandMaker = (room: RoomState, number: number | undefined) => MaybePromise<RoomCommand>;

/** Announcements, and the write that must be durable before they leave. */
interface Outcome {
  readonly announcements: readonly Announcement[];
  readonly writing?: Writing | undefined;
}

/**
 * Owns one room: takes one command after the other, writes the changes that follow, and then sends the announcements. A change of the
 * room itself is written before anybody knows of it, and commands wait meanwhile. Posted messages do not delay commands, only the
 * announcements behind them.
 */
export class RoomOwner {
  readonly #deps: RoomOwnerDeps;
  /** Commands that wait for their turn. */
  readonly #waiting: (() => void)[] = [];
  readonly #queue: AnnouncementQueue;
  readonly #confirmed: ConfirmedMessages;
  /** Of this turn. */
  readonly #failures: ReportFailure[] = [];
  #state: RoomState;
  #number: number | undefined;
  #busy = false;
  #presenceSent: Promise<void> | undefined;

  constructor({ state, number, confirmed }: LoadedRoom, deps: RoomOwnerDeps) {
    this.#deps = deps;
    this.#state = state;
    this.#number = number;
    this.#confirmed = new ConfirmedMessages(deps.confirmed);
    for (const { client, lastId } of confirmed) this.#confirmed.begin(client, lastId);
    const send = (announcements: readonly Announcement[]) => deps.send(announcements, this.#confirmed);
    this.#queue = new AnnouncementQueue((announcements) => sendPaced(announcements, deps.turns, send));
  }

  get state(): RoomState {
    return this.#state;
  }

  /** The number of the room in the store; undefined if there is no room. */
  get number(): number | undefined {
    return this.#number;
  }

  /** Whether nothing is under way. */
  get isIdle(): boolean {
    return !this.#busy && this.#queue.isEmpty;
  }

  /** Resolves when the last presence was sent; undefined if it was. */
  get presenceSent(): Promise<void> | undefined {
    return this.#presenceSent;
  }

  /** The last archived message that a client in the room has confirmed. */
  lastConfirmed(client: Jid): number {
    return this.#confirmed.lastOf(client) ?? 0;
  }

  /** Writes which messages clients have confirmed, and says how many clients there are. */
  writeConfirmed(): { readonly count: number; readonly done: Promise<unknown> } {
    const { store } = this.#deps;
    const room = this.#number;
    const unwritten = room === undefined ? [] : this.#confirmed.takeUnwritten();
    const written = unwritten.map((one) => store.changeOccupant(room ?? 0, { kind: 'seen', ...one }));
    return { count: unwritten.length, done: Promise.all(written) };
  }

  /** Takes a command after all earlier ones. Resolves when everything that follows from it was said; throws or rejects if it is refused. */
  take(make: CommandMaker): MaybePromise<void> {
    if (!this.#busy) return this.#run(make);
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        try {
          resolve(this.#run(make));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** A client cannot be reached. All of one turn are taken together: if another server is lost, its users go before anybody is told. */
  report(failure: ReportFailure): void {
    this.#failures.push(failure);
    if (this.#failures.length > 1) return;
    setImmediate(() => {
      const failures = this.#failures.splice(0);
      this.#unasked(() => this.take(() => ({ kind: 'report-failures', failures, nowMs: this.#deps.nowMs() })));
    });
  }

  /** The state after all commands so far. */
  settled(): MaybePromise<RoomState> {
    if (!this.#busy) return this.#state;
    return new Promise((resolve) => this.#waiting.push(() => resolve(this.#state)));
  }

  #run(make: CommandMaker): MaybePromise<void> {
    let outcome: MaybePromise<Outcome>;
    try {
      outcome = then(make(this.#state, this.#number), (command) => this.#carryOut(decide(this.#state, command)));
    } catch (error) {
      return this.#queue.refuse(error);
    }
    if (!(outcome instanceof Promise)) return this.#say(outcome);
    this.#busy = true;
    return outcome.then(
      (settled) => this.#release(() => this.#say(settled)),
      (error: unknown) => this.#release(() => this.#queue.refuse(error)),
    );
  }

  /** Lets the next command in as soon as the announcements of this one have their place. */
  #release(say: () => MaybePromise<void>): MaybePromise<void> {
    this.#busy = false;
    try {
      return say();
    } finally {
      this.#takeWaiting();
    }
  }

  #takeWaiting(): void {
    while (!this.#busy) {
      const next = this.#waiting.shift();
      if (!next) return;
      next();
    }
  }

  #say({ announcements, writing }: Outcome): MaybePromise<void> {
    const said = this.#queue.add(announcements, writing);
    if (said instanceof Promise && announcements.some(({ stanza }) => stanza.kind === 'presence')) {
      const sent = said
        .catch(() => undefined)
        .finally(() => {
          if (this.#presenceSent === sent) this.#presenceSent = undefined;
        });
      this.#presenceSent = sent;
    }
    if (isOver(this.#state)) this.#end();
    return said;
  }

  /** Ends a room that nobody is in and that does not stay. If that fails, the next command tries again. */
  #end(): void {
    const make = () => ({ kind: 'end-if-over', nowMs: this.#deps.nowMs() }) as const;
    this.#unasked(() => this.take(make));
  }

  #unasked(run: () => MaybePromise<void>): void {
    try {
      const done = run();
      if (done instanceof Promise) done.catch(this.#deps.failed);
    } catch (error) {
      this.#deps.failed(error);
    }
  }

  #carryOut({ changes, announcements }: Decision): MaybePromise<Outcome> {
    const posted = this.#append(changes);
    const written = this.#write(changes);
    if (!written) {
      this.#apply(changes, announcements);
      return { announcements, writing: posted };
    }
    this.#writeOccupants(changes);
    return Promise.all([written, posted?.done]).then(() => {
      this.#apply(changes, announcements);
      return { announcements };
    });
  }

  /** What a change of the room means for its occupants becomes durable with it: a crash must not undo a ban for those who are inside. */
  #writeOccupants(changes: readonly RoomChange[]): void {
    const [room, state] = [this.#number, this.#state];
    if (room === undefined || state.kind === 'absent') return;
    for (const change of changes) {
      const before = change.kind === 'occupant' ? state.occupants.named(change.nickKey) : undefined;
      if (change.kind !== 'occupant' || !before) continue;
      for (const row of occupantChanges(before, change.occupant, (client) => this.lastConfirmed(client)))
        this.#deps.store.changeOccupant(room, row).catch(this.#deps.failed);
    }
  }

  #apply(changes: readonly RoomChange[], announcements: readonly Announcement[]): void {
    for (const change of changes) {
      if (change.kind === 'occupant') this.#keepOccupant(change, announcements);
      this.#state = applied(this.#state, change);
    }
    if (this.#state.kind === 'absent') this.#number = undefined;
    if (changes.some(({ kind }) => kind === 'affiliations'))
      this.#unasked(() => this.take(this.#deps.afterAffiliations));
  }

  /** Writes which clients an occupant has. Nobody waits for that: after a crash, a client that the room does not know is told so. */
  #keepOccupant(
    { nickKey, occupant }: RoomChange & { readonly kind: 'occupant' },
    announcements: readonly Announcement[],
  ): void {
    const before = this.#state.kind === 'existing' ? this.#state.occupants.named(nickKey) : undefined;
    for (const { jid } of before?.sessions ?? [])
      if (!occupant?.sessions.some((session) => session.jid.equals(jid))) this.#confirmed.end(jid);
    const room = this.#known();
    const lastConfirmed = (client: Jid) => this.#confirmed.lastOf(client) ?? this.#begin(client, announcements);
    for (const change of occupantChanges(before, occupant, lastConfirmed))
      this.#deps.store.changeOccupant(room, change).catch(this.#deps.failed);
  }

  /** A client that has entered has everything up to the discussion that it gets now. */
  #begin(client: Jid, announcements: readonly Announcement[]): number {
    const history = announcements.filter(
      ({ isArchived, to }) => isArchived && to.length === 1 && to[0]?.equals(client),
    );
    const numbers = history.flatMap(({ posted }) => posted ?? []);
    const lastId = numbers.length > 0 ? Math.min(...numbers) - 1 : this.#deps.store.newMessageId();
    this.#confirmed.begin(client, lastId);
    return lastId;
  }

  /** Writes the changes of the room itself; undefined if there are none. */
  #write(changes: readonly RoomChange[]): Promise<unknown> | undefined {
    const { store } = this.#deps;
    for (const change of changes) {
      if (change.kind === 'created') return this.#create(change);
      if (change.kind === 'destroyed') return store.destroy(this.#known(), change.tombstone);
    }
    const stored = storedChanges(changes);
    return stored.length > 0 ? store.change(this.#known(), stored) : undefined;
  }

  async #create({ owner, config, occupantKey, atMs }: RoomChange & { readonly kind: 'created' }): Promise<void> {
    const affiliations = owner ? [{ jid: owner.toString(), affiliation: 'owner' }] : [];
    const address = this.#state.address.toString();
    const room = { address, createdAtMs: atMs, config: configText(config), occupantKey, affiliations };
    this.#number = await this.#deps.store.create(room, listingOf(config));
  }

  #append(changes: readonly RoomChange[]): Writing | undefined {
    for (const change of changes) {
      if (change.kind !== 'posted' || !change.entry.isArchived) continue;
      const { author, occupantId, entry } = change;
      const { number: id, message } = entry;
      const row = { room: this.#known(), id, bytes: message.toBytes(), author: author.toString(), occupantId };
      const done = this.#deps.store.append(row);
      done.catch(() => this.#forget(id));
      return { done, posted: id };
    }
    return undefined;
  }

  #forget(number: number): void {
    const make = () => ({ kind: 'forget-message', nowMs: this.#deps.nowMs(), number }) as const;
    this.#unasked(() => this.take(make));
  }

  #known(): number {
    if (this.#number === undefined) throw new Error(`${this.#state.address} is not in the store`);
    return this.#number;
  }
}
