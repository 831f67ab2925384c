import type { Jid } from '../../protocol/jid.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import { handledCountTooHigh } from '../../protocol/stream-management.ts';
import type { ArchivedForRecipients } from '../../routing/session.ts';
import { type AcknowledgmentLimits, AckRequests } from '../../streams/acknowledgment/ack-requests.ts';
import { wireCount } from '../../streams/acknowledgment/count.ts';
import type { KeptCopies, KeptCopy } from '../../streams/acknowledgment/kept-copies.ts';
import type { SentStanza, UnacknowledgedQueue } from '../../streams/acknowledgment/unacknowledged-queue.ts';
import { oneATurn } from '../../streams/one-a-turn.ts';
import type { Clock } from '../../support/clock.ts';
import type { SessionStream } from '../session-stream.ts';

/** Time until the server asks again a client that has acknowledged nothing new. */
const standstillMs = 5000;
/**
 * The number in the copy of a stanza that was sent before a restart and is sent again later: so far ahead that no client can have
 * reached it.
 */
const farAhead = 2 ** 30;

/** Dependencies of delivery. */
export interface DeliveryDeps {
  readonly limits: AcknowledgmentLimits;
  readonly copies: KeptCopies;
  readonly clock: Clock;
}

/** The session whose stanzas are delivered. */
export interface ManagedSession {
  readonly jid: Jid;
  readonly account: { readonly key: string };
  readonly stream: SessionStream | undefined;
  close(error: StreamError): void;
}

/** A stanza that has not been sent yet, or not since the restart, and has a copy on the disk. */
interface UnsentStanza {
  readonly stanza: Stanza;
  copy: KeptCopy | undefined;
  /** The number in its copy, if the copy was written just before sending. */
  readonly sequence: number | undefined;
  /** When the server received it, if that was before a restart. */
  readonly atMs?: number | undefined;
  readonly sentBeforeRestart?: boolean;
}

/** A stanza that the client may not have, and the number of its copy. */
export interface UndeliveredRow {
  readonly entry: SentStanza | UnsentStanza;
  readonly sequence: number | undefined;
  /** The archive that keeps it until its copy is written. */
  readonly archived: ArchivedForRecipients | undefined;
}

/** Sends the stanzas of one session, and keeps each until the client has acknowledged it (XEP-0198 §4). */
export class AcknowledgedDelivery {
  readonly #session: ManagedSession;
  readonly #deps: DeliveryDeps;
  /** The key of the session on the disk, if it can be resumed. */
  readonly #key: string | undefined;
  readonly #queue: UnacknowledgedQueue;
  readonly #unsent = new Map<Stanza, UnsentStanza>();
  /** Stanzas that are stored elsewhere, and their archives that want to know when the client has them. */
  readonly #storedElsewhere = new WeakMap<Stanza, ArchivedForRecipients | undefined>();
  readonly #requests: AckRequests;
  #overflowed = false;
  /** How many stanzas at the end of the queue are not on the stream yet. */
  #unwritten = 0;

  constructor(session: ManagedSession, deps: DeliveryDeps, key: string | undefined, queue: UnacknowledgedQueue) {
    this.#session = session;
    this.#deps = deps;
    this.#key = key;
    this.#queue = queue;
    const source = {
      pending: () => (session.stream ? queue.length : 0),
      ask: () => session.stream?.requestAcknowledgment(),
    };
    this.#requests = new AckRequests(source, deps.limits, standstillMs, deps.clock);
  }

  /** Writes a copy of a stanza that is about to be sent: `atOnce`, or after stanzas that are held back. */
  keep(stanza: Stanza, atOnce: boolean): Promise<void> {
    const sequence = atOnce ? this.#queue.nextSequence : undefined;
    const copy = this.#deps.copies.add(this.#session.account.key, this.#key, stanza, sequence);
    this.#unsent.set(stanza, { stanza, copy, sequence });
    return copy.durable;
  }

  /** Sends a stanza, and keeps it until the client has acknowledged it. While the client is away, only the copy on the disk is written. */
  transmit(stanza: Stanza): void {
    const { stream, account } = this.#session;
    const sequence = this.#queue.nextSequence;
    const storedElsewhere = this.#storedElsewhere.has(stanza);
    const unsent = this.#unsent.get(stanza);
    this.#unsent.delete(stanza);
    let copy = unsent?.copy;
    if (stream && unsent) this.#number(unsent, sequence);
    else if (!stream && !storedElsewhere) copy ??= this.#deps.copies.add(account.key, this.#key, stanza, sequence);
    const atMs = unsent?.atMs ?? this.#deps.clock.nowMs();
    const archived = storedElsewhere ? this.#storedElsewhere.get(stanza) : undefined;
    this.#queue.push({ stanza, atMs, storedElsewhere, archived, copy });
    if (stream) this.#send(stanza, stream);
    if (this.#queue.exceeds(this.#deps.limits)) this.#overflow();
  }

  /**
   * Sends a stanza, or lets it wait in the queue while the client reads too slowly: the buffer of the connection has a limit, beyond
   * which the connection ends.
   */
  #send(stanza: Stanza, stream: SessionStream): void {
    if (this.#unwritten > 0) this.#unwritten += 1;
    else if (stream.congested) {
      this.#unwritten = 1;
      this.#sendWhenRead(stream);
    } else {
      stream.sendStanza(stanza);
      this.#requests.sent();
    }
  }

  #sendWhenRead(stream: SessionStream): void {
    void stream.flushed().then(() => {
      if (this.#session.stream === stream) this.#sendWaiting(stream);
    });
  }

  /** Sends the stanzas that wait, until the client reads too slowly again. */
  #sendWaiting(stream: SessionStream): void {
    const entries = this.#queue.entries();
    // A client can acknowledge more than it was sent.
    this.#unwritten = Math.min(this.#unwritten, entries.length);
    while (this.#unwritten > 0) {
      const { stanza } = entries[entries.length - this.#unwritten]!;
      this.#unwritten -= 1;
      stream.sendStanza(stanza);
      this.#requests.sent();
      if (this.#unwritten > 0 && stream.congested) return this.#sendWhenRead(stream);
    }
  }

  /** After sending, the stanza need be neither kept nor taken back. `archived` is told when the client has it. */
  storedElsewhere(stanza: Stanza, archived?: ArchivedForRecipients): void {
    this.#storedElsewhere.set(stanza, archived);
  }

  /** Takes back a stanza that was never written. Returns its copy. */
  withdraw(stanza: Stanza): KeptCopy | undefined {
    const behind = this.#queue.length - this.#queue.entries().findIndex((entry) => entry.stanza === stanza);
    const withdrawn = this.#queue.withdraw(stanza);
    if (withdrawn && behind <= this.#unwritten) this.#unwritten -= 1;
    const copy = withdrawn?.copy ?? this.#unsent.get(stanza)?.copy;
    this.#unsent.delete(stanza);
    return copy;
  }

  /** What is known of a stanza that has not been sent, or not since the restart. */
  unsent(stanza: Stanza): UnsentStanza | undefined {
    return this.#unsent.get(stanza);
  }

  /** Resolves with true when the client has acknowledged all that was sent. */
  received(): Promise<boolean> {
    const received = this.#queue.received();
    this.#requests.now();
    return received;
  }

  /** Whether the queue of unacknowledged stanzas is half full. */
  get crowded(): boolean {
    return this.#queue.isHalfFull(this.#deps.limits);
  }

  /** The client says how many stanzas it has handled; throws the stream error of XEP-0198 §6. */
  acknowledged(h: number): void {
    const covered = this.#queue.acknowledge(h);
    if (!covered) throw handledCountTooHigh(h, wireCount(this.#queue.sent));
    for (const { copy, archived } of covered) {
      copy?.release();
      archived?.confirmed(this.#session.jid);
    }
    this.#requests.answered(covered.length > 0, this.#queue.awaited);
  }

  /** The connection is lost. Returns all stanzas that the client may not have, in order: those that were sent, then `held`. */
  detached(held: readonly Stanza[]): readonly UndeliveredRow[] {
    this.#requests.stop();
    this.#unwritten = 0;
    const first = this.#queue.sent - this.#queue.length + 1;
    return this.#undelivered(held, (_, index) => first + index);
  }

  /**
   * Takes the count of the client that resumes; the stanzas in `held` follow those that were sent. If it is the first count since a restart, and
   * the numbers on the disk mean nothing any more, answers all that the client does not have, in order. Throws the stream error of
   * XEP-0198 §6.
   */
  resumedAt(h: number, held: readonly Stanza[]): readonly UndeliveredRow[] | undefined {
    const { uncertain } = this.#queue;
    this.acknowledged(h);
    const ahead = this.#queue.sent + farAhead;
    return uncertain
      ? this.#undelivered(held, ({ sequence }) => (sequence === undefined ? undefined : ahead))
      : undefined;
  }

  /** The client has resumed: the server sends the unacknowledged stanzas again (XEP-0198 §5), no faster than the client reads. */
  attached(stream: SessionStream): void {
    this.#unwritten = this.#queue.length;
    this.#sendWaiting(stream);
    this.#requests.now();
  }

  /** Takes the stanzas that are sent again after stored messages out of the queue, in order. */
  takeOut(): readonly Stanza[] {
    const taken = this.#queue.entries().filter(belongsToSession);
    for (const { stanza, copy, atMs, sequence } of taken) {
      this.#queue.withdraw(stanza);
      this.#unsent.set(stanza, { stanza, copy, sequence: undefined, atMs, sentBeforeRestart: sequence !== undefined });
    }
    return taken.map(({ stanza }) => stanza);
  }

  /** The session has ended. Returns the stanzas that were sent and that the client may not have. */
  end(): readonly SentStanza[] {
    this.#requests.stop();
    return this.#queue.end().filter(({ storedElsewhere }) => !storedElsewhere);
  }

  #undelivered(
    held: readonly Stanza[],
    numberOf: (entry: SentStanza, index: number) => number | undefined,
  ): readonly UndeliveredRow[] {
    const ahead = this.#queue.sent + farAhead;
    const sent = this.#queue.entries().map((entry, index) => ({ entry, sequence: numberOf(entry, index) }));
    const unsent = held.map((stanza) => {
      const entry: UnsentStanza = { copy: undefined, ...this.#unsent.get(stanza), stanza, sequence: undefined };
      this.#unsent.set(stanza, entry);
      return { entry, sequence: entry.sentBeforeRestart ? ahead : undefined };
    });
    const missing = [...sent.filter(({ entry }) => belongsToSession(entry)), ...unsent];
    return missing.map((row) => ({ ...row, archived: this.#storedElsewhere.get(row.entry.stanza) }));
  }

  /** Gives a number to a copy that was written before others were sent. Without one it would count as not sent after a restart. */
  #number({ copy, sequence }: UnsentStanza, sent: number | undefined): void {
    if (copy && sequence === undefined && sent !== undefined && this.#key !== undefined)
      void this.#deps.copies.number(copy, sent);
  }

  /** Closes the session, but later: a session does not end in the middle of a send, with all that it held routed again at once. */
  #overflow(): void {
    if (this.#overflowed) return;
    this.#overflowed = true;
    oneATurn(() => this.#session.close(StreamError.policyViolation('the queue of unacknowledged stanzas is full')));
  }
}

/** Whether the session must keep a stanza over a change of its stream: nothing else sends it again while the session lasts. */
function belongsToSession({ storedElsewhere, archived }: SentStanza): boolean {
  return !storedElsewhere || archived !== undefined;
}
