import type { Stanza } from '../../protocol/stanza.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import { acknowledgment } from '../../protocol/stream-management.ts';
import type { ResumptionStore } from '../../storage/resumption.ts';
import { Acknowledger } from '../../streams/acknowledgment/acknowledger.ts';
import { wireCount } from '../../streams/acknowledgment/count.ts';
import type { HandledCount } from '../../streams/acknowledgment/handled-count.ts';
import { type SentStanza, UnacknowledgedQueue } from '../../streams/acknowledgment/unacknowledged-queue.ts';
import type { Log } from '../../support/log.ts';
import type { SessionStream } from '../session-stream.ts';
import {
  AcknowledgedDelivery,
  type DeliveryDeps,
  type ManagedSession,
  type UndeliveredRow,
} from './acknowledged-delivery.ts';

/** Dependencies that all managed sessions share. */
export interface ManagementDeps extends DeliveryDeps {
  readonly store: Pick<ResumptionStore, 'handled' | 'detach' | 'attach'>;
  readonly log: Log;
}

/** The session, with the part of its state that is written to the disk. */
interface StatefulSession extends ManagedSession {
  state(): string;
  /** The state if it has changed since the last call, otherwise undefined. */
  changedState(): string | undefined;
}

/** How a session can be resumed. */
export interface Resumability {
  /** A hash of the token that the client holds. */
  readonly key: string;
  readonly maxSeconds: number;
}

/** The acknowledgments of a session as a restart of the server found them on the disk. */
export interface RestoredAcknowledgments {
  readonly handled: number;
  readonly queue: UnacknowledgedQueue;
}

/** Stream management of one session (XEP-0198): acknowledgments in both directions, and their copies on the disk. */
export class Management {
  readonly resumability: Resumability | undefined;
  /** What the client is sent. */
  readonly delivery: AcknowledgedDelivery;
  /** What the client has sent. */
  readonly acknowledger: Acknowledger;
  readonly #session: StatefulSession;
  readonly #deps: ManagementDeps;
  /** A changed state of the session that the disk has refused. */
  #unwritten: string | undefined;

  constructor(
    session: StatefulSession,
    deps: ManagementDeps,
    resumability?: Resumability,
    restored: RestoredAcknowledgments = { handled: 0, queue: new UnacknowledgedQueue() },
  ) {
    this.resumability = resumability;
    this.#session = session;
    this.#deps = deps;
    const key = resumability?.key;
    this.delivery = new AcknowledgedDelivery(session, deps, key, restored.queue);
    this.acknowledger = new Acknowledger(restored.handled, {
      send: (handled) => session.stream?.send(acknowledgment(wireCount(handled))),
      failed: (error) => this.#failed(error),
      persist: key === undefined ? undefined : (handled) => this.#persist(key, handled),
      clock: deps.clock,
    });
  }

  /** Counts the client's stanzas. */
  get incoming(): HandledCount {
    return this.acknowledger.incoming;
  }

  /** How many stanzas of the client are final, as 'h' tells it. */
  get h(): number {
    return wireCount(this.acknowledger.safe);
  }

  /** The connection is lost. Writes all stanzas that the client may not have to the disk, `held` after those sent, and returns them. */
  detached(held: readonly Stanza[]): readonly Stanza[] {
    const undelivered = this.delivery.detached(held);
    this.#write(undelivered);
    return undelivered.map(({ entry }) => entry.stanza);
  }

  /** Takes the count of the client that resumes; `held` follows the stanzas that were sent. Throws the stream error of XEP-0198 §6. */
  resumedAt(h: number, held: readonly Stanza[]): void {
    const undelivered = this.delivery.resumedAt(h, held);
    this.acknowledger.settle();
    if (undelivered) this.#write(undelivered);
  }

  /** The client has resumed: the server sends the unacknowledged stanzas again (XEP-0198 §5). */
  attached(stream: SessionStream): void {
    this.acknowledger.resumed();
    if (this.resumability) void this.#deps.store.attach(this.resumability.key).catch(() => undefined);
    this.delivery.attached(stream);
  }

  /** The session has ended. Returns the stanzas that were sent and that the client may not have. */
  end(): readonly SentStanza[] {
    this.acknowledger.end();
    return this.delivery.end();
  }

  /** Writes the count, and the state of the session if it has changed since the last successful write. */
  async #persist(key: string, handled: number): Promise<void> {
    this.#unwritten = this.#session.changedState() ?? this.#unwritten;
    const state = this.#unwritten;
    await this.#deps.store.handled(key, handled, state);
    if (this.#unwritten === state) this.#unwritten = undefined;
  }

  /** Writes stanzas to the disk in place of all that the session had there. */
  #write(undelivered: readonly UndeliveredRow[]): void {
    if (!this.resumability) return;
    const { store, clock, copies } = this.#deps;
    const atMs = clock.nowMs();
    const rows = undelivered.map(({ entry, sequence }) => {
      return { sequence, receivedAtMs: entry.atMs ?? atMs, bytes: entry.stanza.toBytes() };
    });
    const detachment = { atMs, handled: this.incoming.handled, state: this.#session.state() };
    const ids = store.detach(this.resumability.key, detachment, rows);
    for (const [index, { entry, archived }] of undelivered.entries()) {
      const id = ids.then((written) => written[index]);
      entry.copy = entry.copy ? copies.rewritten(entry.copy, id) : copies.of(id);
      if (archived) void ids.then(() => archived.confirmed(this.#session.jid)).catch(() => undefined);
    }
    if (rows.length === 0) ids.catch(() => undefined);
  }

  /** A stanza has failed without an error to its sender, who must repeat it: this session cannot be resumed any more. */
  #failed(error: unknown): void {
    if (!(error instanceof StreamError))
      this.#deps.log.error({ err: error }, 'a stanza failed and is not acknowledged');
    this.#session.close(error instanceof StreamError ? error : StreamError.internalServerError());
  }
}
