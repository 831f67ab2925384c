import type { Stanza } from '../../protocol/stanza.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import { acknowledgment, handledCountTooHigh } from '../../protocol/stream-management.ts';
import type { ResumptionStore } from '../../storage/resumption.ts';
import { wireCount } from '../../streams/acknowledgment/count.ts';
import { HandledCount } from '../../streams/acknowledgment/handled-count.ts';
import type { KeptCopies, KeptCopy } from '../../streams/acknowledgment/kept-copies.ts';
import { type QueueLimits, type Sent, UnacknowledgedQueue } from '../../streams/acknowledgment/unacknowledged-queue.ts';
import { oneATurn } from '../../streams/one-a-turn.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { SessionStream } from '../session-stream.ts';

/** When a client is asked again that has acknowledged nothing new. */
const standstillMs = 5000;
/** What was sent before a restart, and is not numbered anew yet, has a number so far ahead that no client can have come to it. */
const farAhead = 2 ** 30;

/** Bounds of stream management, and when the client is asked for an acknowledgment. */
export interface ManagementLimits extends QueueLimits {
  readonly ackEveryStanzas: number;
  readonly ackAfterMs: number;
}

/** What all managed sessions share. */
export interface ManagementDeps {
  readonly limits: ManagementLimits;
  readonly copies: KeptCopies;
  readonly store: Pick<ResumptionStore, 'handled' | 'detach' | 'attach'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What stream management knows of its session. */
interface Managed {
  readonly account: { readonly key: string };
  readonly stream: SessionStream | undefined;
  /** What the session has told the world; undefined if that is as it was when last asked. */
  changedState(): string | undefined;
  state(): string;
  close(error: StreamError): void;
}

/** How a session can be resumed. */
export interface Resumability {
  /** A hash of the token that the client holds. */
  readonly key: string;
  readonly maxSeconds: number;
}

/** Where a managed session begins: at nothing, or where a restart of the server found it. */
export interface RestoredCounts {
  readonly handled: number;
  readonly queue: UnacknowledgedQueue;
}

/** A stanza that is yet to be sent, on the disk. */
interface UnsentCopy {
  readonly copy: KeptCopy | undefined;
  /** The number under which it is written down, if it is sent at once. */
  readonly sequence: number | undefined;
  /** When it came, if it has waited since before a restart. */
  readonly atMs?: number;
  /** Whether it was sent then. */
  readonly again?: boolean;
}

/** The acknowledgments of one session, both ways (XEP-0198 §4). */
export class Management {
  readonly resumability: Resumability | undefined;
  readonly incoming: HandledCount;
  readonly #session: Managed;
  readonly #deps: ManagementDeps;
  readonly #queue: UnacknowledgedQueue;
  /** What has not been sent yet, and has a copy. */
  readonly #waiting = new Map<Stanza, UnsentCopy>();
  readonly #storedElsewhere = new WeakSet<Stanza>();
  /** How many of the client's stanzas a crash could not take back. */
  #safe: number;
  #told: number;
  #wantedUntil = 0;
  #persisting: Promise<void> | undefined;
  #asked = false;
  #timer: Timer | undefined;
  #overflowed = false;

  constructor(session: Managed, deps: ManagementDeps, resumability?: Resumability, beginning?: RestoredCounts) {
    this.#session = session;
    this.#deps = deps;
    this.resumability = resumability;
    this.#queue = beginning?.queue ?? new UnacknowledgedQueue();
    this.#safe = beginning?.handled ?? 0;
    this.#told = this.#safe;
    this.incoming = new HandledCount(
      this.#safe,
      () => this.#moved(),
      (error) => this.#failed(error),
    );
  }

  // --- what the client is sent

  /** Sends a stanza, and remembers it until the client has it. */
  transmit(stanza: Stanza): void {
    const { stream, account } = this.#session;
    const sequence = this.#queue.nextSequence;
    const storedElsewhere = this.#storedElsewhere.has(stanza);
    const waiting = this.#waiting.get(stanza);
    this.#waiting.delete(stanza);
    let { copy, atMs = this.#deps.clock.nowMs() } = waiting ?? {};
    if (!stream && !storedElsewhere) {
      copy ??= this.#deps.copies.add(account.key, this.resumability?.key, stanza, sequence);
    }
    if (stream && waiting) this.#number(waiting, sequence);
    this.#queue.push({ stanza, atMs, storedElsewhere, copy });
    stream?.sendStanza(stanza);
    if (stream) this.#askInTime(stream);
    if (this.#queue.exceeds(this.#deps.limits)) this.#overflow();
  }

  /** Writes a copy of a stanza that is about to be sent; at once, or after what is held. */
  keep(stanza: Stanza, atOnce: boolean): Promise<void> {
    const sequence = atOnce ? this.#queue.nextSequence : undefined;
    const copy = this.#deps.copies.add(this.#session.account.key, this.resumability?.key, stanza, sequence);
    this.#waiting.set(stanza, { copy, sequence });
    return copy.durable;
  }

  /** After a restart only what has a number is known to have been sent. */
  #number({ copy, sequence }: UnsentCopy, sent: number | undefined): void {
    if (copy && sequence === undefined && sent !== undefined && this.resumability)
      void this.#deps.copies.number(copy, sent);
  }

  /** The stanza, when it is sent, need be neither kept nor taken back. */
  storedElsewhere(stanza: Stanza): void {
    this.#storedElsewhere.add(stanza);
  }

  /** Takes back a stanza that was never written; answers its copy. */
  withdraw(stanza: Stanza): KeptCopy | undefined {
    const copy = this.#queue.withdraw(stanza)?.copy ?? this.#waiting.get(stanza)?.copy;
    this.#waiting.delete(stanza);
    return copy;
  }

  /** Resolves with true when the client has acknowledged all that was sent. */
  received(): Promise<boolean> {
    const received = this.#queue.received();
    this.#ask();
    return received;
  }

  /** Whether half of what may be unacknowledged is. */
  get crowded(): boolean {
    return this.#queue.isHalfFull(this.#deps.limits);
  }

  /** The client says what it has; throws the stream error of XEP-0198 §6. */
  acknowledged(h: number): void {
    const covered = this.#queue.acknowledge(h);
    if (!covered) throw handledCountTooHigh(h, wireCount(this.#queue.sent));
    for (const { copy } of covered) copy?.release();
    this.#asked = false;
    const { stream } = this.#session;
    if (!stream || this.#queue.length === 0) return this.#stopAsking();
    // A client that miscounts would be asked in a circle.
    if (covered.length === 0) this.#askAfter(Math.max(standstillMs, this.#deps.limits.ackAfterMs));
    else if (this.#queue.awaited) this.#ask();
    else this.#askInTime(stream);
  }

  #askInTime(stream: SessionStream): void {
    if (this.#asked) return;
    const { ackEveryStanzas, ackAfterMs } = this.#deps.limits;
    if (this.#queue.length >= ackEveryStanzas) return this.#askOn(stream);
    this.#askAfter(ackAfterMs);
  }

  #askAfter(delayMs: number): void {
    this.#timer ??= this.#deps.clock.after(delayMs, () => this.#ask());
  }

  #ask(): void {
    const { stream } = this.#session;
    if (stream && !this.#asked && this.#queue.length > 0) this.#askOn(stream);
  }

  #askOn(stream: SessionStream): void {
    this.#stopAsking();
    this.#asked = true;
    stream.requestAcknowledgment();
  }

  #stopAsking(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Later: nobody should lose a session in the middle of sending to it, and all that it held goes on the road at once. */
  #overflow(): void {
    if (this.#overflowed) return;
    this.#overflowed = true;
    oneATurn(() => this.#session.close(StreamError.policyViolation('too much is unacknowledged')));
  }

  // --- what the client has sent

  /** How many of its stanzas the client may forget. */
  get handled(): number {
    return wireCount(this.#safe);
  }

  /** The client asks: it is told at once how far we are, and again when what it has sent by now is final. */
  requested(): void {
    this.#wantedUntil = this.incoming.taken;
    this.tell();
    if (this.#safe < this.incoming.handled) this.#moved();
  }

  /** Tells the client how far we are. */
  tell(): void {
    this.#told = this.#safe;
    this.#session.stream?.send(acknowledgment(this.handled));
  }

  /** Resolves when all that the client has sent is final, and a restart would know it. */
  async settled(): Promise<void> {
    await this.incoming.settled();
    if (this.#safe < this.incoming.handled) this.#moved();
    await this.#persisting;
  }

  #moved(): void {
    if (this.resumability) this.#persisting ??= this.#persist(this.resumability);
    else this.#reached(this.incoming.handled);
  }

  /** A stanza has come to nothing and nobody was told: whoever sent it must not come back to this session, but repeat it. */
  #failed(error: unknown): void {
    if (!(error instanceof StreamError))
      this.#deps.log.error({ err: error }, 'a stanza failed and is not acknowledged');
    this.#session.close(error instanceof StreamError ? error : StreamError.internalServerError());
  }

  #reached(handled: number): void {
    this.#safe = handled;
    if (this.#told < this.#wantedUntil) this.tell();
  }

  /** Written after the work it promises, never before: one write at a time, of the latest count. */
  async #persist({ key }: Resumability): Promise<void> {
    try {
      // Everything of this turn of the loop is one write.
      await undefined;
      while (this.#safe < this.incoming.handled) {
        const { handled } = this.incoming;
        await this.#deps.store.handled(key, handled, this.#session.changedState());
        this.#reached(handled);
      }
    } catch {
      // Storage tells its own troubles; the client is not told more than what is safe, and may ask again.
    } finally {
      this.#persisting = undefined;
    }
  }

  // --- losing and finding the stream

  /** The connection is lost: all that the client may not have, `held` behind what was sent, goes to the disk. */
  detached(held: readonly Stanza[]): void {
    this.#stopAsking();
    this.#asked = false;
    if (this.resumability) this.#writeAll(this.resumability, held);
  }

  /** The client is back and was told so: it gets again what it has not acknowledged (XEP-0198 §5). */
  attached(stream: SessionStream): void {
    this.#told = this.#safe;
    this.#wantedUntil = 0;
    if (this.resumability) void this.#deps.store.attach(this.resumability.key).catch(() => undefined);
    for (const { stanza } of this.#queue.entries()) stream.sendStanza(stanza);
    this.#ask();
  }

  /** Takes out, in order, what is to be sent again behind what is stored. */
  takeOut(): readonly Stanza[] {
    const out = this.#queue.entries().filter(({ storedElsewhere }) => !storedElsewhere);
    for (const { stanza, copy, atMs, sequence } of out) {
      this.#queue.withdraw(stanza);
      this.#waiting.set(stanza, { copy, sequence: undefined, atMs, again: sequence !== undefined });
    }
    return out.map(({ stanza }) => stanza);
  }

  /** Takes the count that the client brings along, while `held` waits behind what was sent; throws the stream error of XEP-0198 §6. */
  resumedAt(h: number, held: readonly Stanza[]): void {
    const { uncertain } = this.#queue;
    this.acknowledged(h);
    // If a full disk did not take the count: the client must not repeat what we have counted, and it is as durable as the work.
    this.#safe = this.incoming.handled;
    if (uncertain && this.resumability) this.#writeAll(this.resumability, held, false);
  }

  /** It is over; answers what the client may not have. */
  end(): readonly Sent[] {
    this.#stopAsking();
    this.incoming.end();
    return this.#queue.end().filter(({ storedElsewhere }) => !storedElsewhere);
  }

  /** What is known of a stanza that was not sent, or not since the server was restarted. */
  waiting(stanza: Stanza): UnsentCopy | undefined {
    return this.#waiting.get(stanza);
  }

  /** If they are not `numbered`, it is not known yet what goes before. */
  #writeAll({ key }: Resumability, held: readonly Stanza[], numbered = true): void {
    const { store, clock, copies } = this.#deps;
    const first = this.#queue.sent - this.#queue.length + 1;
    const again = this.#queue.sent + farAhead;
    const numberOf = ({ sequence }: Sent, index: number) => {
      if (this.#queue.uncertain) return sequence;
      if (numbered) return first + index;
      return sequence === undefined ? undefined : again;
    };
    const entries = this.#queue.entries().map((entry, index) => ({ entry, sequence: numberOf(entry, index) }));
    const sent = entries.filter(({ entry }) => !entry.storedElsewhere);
    const rows = [
      ...sent.map(({ entry: { stanza, atMs }, sequence }) => ({
        sequence,
        receivedAtMs: atMs,
        bytes: stanza.toBytes(),
      })),
      ...held.map((stanza) => {
        const waiting = this.#waiting.get(stanza);
        const receivedAtMs = waiting?.atMs ?? clock.nowMs();
        return { sequence: waiting?.again ? again : undefined, receivedAtMs, bytes: stanza.toBytes() };
      }),
    ];
    const detachment = { atMs: clock.nowMs(), handled: this.incoming.handled, state: this.#session.state() };
    const written = store.detach(key, detachment, rows);
    const rewritten = (copy: KeptCopy | undefined, index: number): KeptCopy => {
      if (!copy) return copies.of(written.then((ids) => ids[index]));
      const before = copy.id;
      copy.id = written.then(
        (ids) => ids[index],
        () => before,
      );
      return copy;
    };
    for (const [index, { entry }] of sent.entries()) entry.copy = rewritten(entry.copy, index);
    for (const [index, stanza] of held.entries()) {
      const waiting = this.#waiting.get(stanza);
      const copy = rewritten(waiting?.copy, sent.length + index);
      this.#waiting.set(stanza, { ...waiting, copy, sequence: undefined });
    }
    if (rows.length === 0) written.catch(() => undefined);
  }
}
