import { createHash } from 'node:crypto';
import { Jid } from '../../protocol/jid.ts';
import { randomId } from '../../protocol/random-id.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { Enabled } from '../../protocol/stream-management.ts';
import type { Session, Watch } from '../../routing/session.ts';
import type { ResumableSession, ResumptionStore, Unacknowledged } from '../../storage/resumption.ts';
import type { KeptCopies } from '../../streams/acknowledgment/kept-copies.ts';
import type { Undelivered } from '../../streams/acknowledgment/redelivery.ts';
import { type SentStanza, UnacknowledgedQueue } from '../../streams/acknowledgment/unacknowledged-queue.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { parseFrame } from '../../xml/parse-frame.ts';
import type { ClientSession } from '../client-session.ts';
import type { SessionStream } from '../session-stream.ts';
import { SessionState } from './session-state.ts';

/** How long a client may be away, and where it should connect. */
interface ResumptionLimits {
  readonly resumeSeconds: number;
  readonly maxResumeSeconds: number;
  /** Where it should connect first. */
  readonly location?: string | undefined;
}

/** Dependencies of resumption. */
export interface ResumptionDeps {
  readonly store: ResumptionStore;
  readonly copies: KeptCopies;
  readonly resumption: ResumptionLimits;
  readonly clock: Clock;
  readonly log: Log;
}

interface ResumableSessionDeps extends ResumptionDeps {
  readonly restoreWatch: RestoreWatch;
  readonly end: (session: ClientSession) => void;
  readonly returned: (session: Session) => void;
}

/** Makes the watch anew for a message that came before a restart and waits for a session; undefined if none is needed. */
export type RestoreWatch = (message: Stanza, session: Session, sentAtMs: number) => Watch | undefined;

/** A session found on the disk. */
export interface FoundSession extends ResumableSession {
  readonly jid: Jid;
}

/** A stanza found on the disk without a session. */
interface StrayStanza {
  readonly id: number;
  readonly domain: string;
  /** Empty if it cannot be read. */
  readonly undelivered: readonly Undelivered[];
}

/** How long a resuming client waits until all its stanzas are final. On a full disk that may depend on a recipient who is away. */
const settleTimeoutMs = 10_000;
/** How long the count of an ended session is remembered. */
const rememberEndedMs = 86_400_000;

/** The sessions whose clients can come back with a token (XEP-0198 §5). */
export class ResumableSessions {
  readonly #deps: ResumableSessionDeps;
  readonly #byKey = new Map<string, ClientSession>();
  readonly #timers = new Map<ClientSession, Timer>();
  /** Found on the disk; not resumed yet. */
  readonly #restored = new WeakSet<ClientSession>();

  constructor(deps: ResumableSessionDeps) {
    this.#deps = deps;
  }

  /** Begins stream management; with `resume` the client gets a token to come back with (XEP-0198 §3). */
  enable(session: ClientSession, resume: boolean, wantedSeconds: number | undefined): Enabled {
    if (!resume) {
      session.manage();
      return {};
    }
    const { resumption, store, log } = this.#deps;
    const maxSeconds = Math.min(wantedSeconds ?? resumption.resumeSeconds, resumption.maxResumeSeconds);
    const token = randomId() + randomId();
    const key = keyOf(token);
    session.manage({ key, maxSeconds });
    this.#byKey.set(key, session);
    const { key: owner } = session.account;
    const state = session.changedState() ?? session.state();
    store.open({ key, owner, resource: session.jid.resource, maxSeconds, state }).catch((error: unknown) => {
      log.warn({ err: error }, 'a session cannot be resumed after a restart');
    });
    return { id: token, maxSeconds, location: resumption.location };
  }

  /** The session of this account with this token. */
  find(token: string, identity: Jid): ClientSession | undefined {
    const session = this.#byKey.get(keyOf(token));
    return session?.account.jid.equals(identity) ? session : undefined;
  }

  /** How many stanzas an ended session of this account had handled. */
  handledBeforeEnd(token: string, identity: Jid): Promise<number | undefined> {
    return this.#deps.store.handledBeforeEnd(keyOf(token), identity.toString());
  }

  /** Resolves when all stanzas of the client are final. If that takes too long, the session ends and the client needs a new one. */
  async settled(session: ClientSession): Promise<void> {
    const { clock, end } = this.#deps;
    const timer = clock.after(settleTimeoutMs, () => end(session));
    await session.management?.acknowledger.settled();
    timer.cancel();
  }

  /** The connection is lost: the session waits for its client. Returns the stanzas that the client may not have. */
  detach(session: ClientSession): readonly Stanza[] {
    const unconfirmed = session.detach();
    const seconds = session.management?.resumability?.maxSeconds ?? 0;
    this.#expect(session, seconds * 1000);
    return unconfirmed;
  }

  /** The client has come back. */
  attach(session: ClientSession, stream: SessionStream): void {
    this.#stopWaiting(session);
    if (!this.#restored.delete(session)) return session.attach(stream);
    // Messages that are still in the offline store were sent before those of the session on the disk.
    session.hold();
    session.attach(stream, true);
    this.#deps.returned(session);
    session.release();
  }

  /** A session has ended and cannot be resumed. */
  ended(session: ClientSession): void {
    this.#stopWaiting(session);
    const { management } = session;
    const key = management?.resumability?.key;
    if (!management || key === undefined) return;
    this.#byKey.delete(key);
    const nowMs = this.#deps.clock.nowMs();
    this.#end(key, management.incoming.handled, nowMs);
  }

  /** The sessions on the disk. */
  async living(): Promise<FoundSession[]> {
    const found = await this.#deps.store.living(this.#deps.clock.nowMs());
    return found.map((session) => ({ ...session, jid: Jid.parse(session.owner).withResource(session.resource) }));
  }

  /** Gives a new session the stanzas of one on the disk. */
  async restore(session: ClientSession, found: FoundSession): Promise<void> {
    const { store, copies, clock } = this.#deps;
    const { key, maxSeconds, handled, detachedAtMs } = found;
    const stanzas = await store.stanzasOf(key);
    const entries = stanzas.flatMap((row): SentStanza[] => {
      const stanza = this.#read(row);
      const copy = copies.of(Promise.resolve(row.id));
      return stanza ? [{ stanza, atMs: row.receivedAtMs, storedElsewhere: false, copy, sequence: row.sequence }] : [];
    });
    session.manage({ key, maxSeconds }, { handled, queue: UnacknowledgedQueue.restored(entries) });
    for (const { stanza, atMs, sequence } of entries) {
      // The client may have read the others.
      if (sequence === undefined || atMs > detachedAtMs) this.#restoreWatch(session, stanza, atMs);
    }
    this.#restoreState(session, found);
    this.#restored.add(session);
    this.#byKey.set(key, session);
    // After the clock was set back, a session must still end.
    const waitedMs = Math.max(0, clock.nowMs() - detachedAtMs);
    this.#expect(session, Math.max(0, maxSeconds * 1000 - waitedMs));
  }

  /** The server stops: no session ends by its time from now on. */
  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  /** Ends a session on the disk that cannot be restored. */
  drop({ key, handled }: FoundSession): void {
    this.#end(key, handled, this.#deps.clock.nowMs());
  }

  /** Stanzas on the disk that belong to no session any more. */
  async strays(afterId: number, limit: number): Promise<StrayStanza[]> {
    const rows = await this.#deps.store.strays(afterId, limit);
    return rows.map((row) => {
      const stanza = this.#read(row);
      const copy = this.#deps.copies.of(Promise.resolve(row.id));
      const { domain } = Jid.parse(row.owner);
      return { id: row.id, domain, undelivered: stanza ? [{ stanza, atMs: row.receivedAtMs, copy }] : [] };
    });
  }

  /** Watches a stanza that was never written again: its watch decides whether it may be written when the client is back. */
  #restoreWatch(session: ClientSession, stanza: Stanza, sentAtMs: number): void {
    const watch = this.#deps.restoreWatch(stanza, session, sentAtMs);
    if (watch) session.watch(stanza, watch);
  }

  #restoreState(session: ClientSession, { state }: FoundSession): void {
    try {
      SessionState.restore(state, session);
    } catch (error) {
      this.#deps.log.error({ err: error, session: String(session.jid) }, 'cannot read the state of a session');
    }
  }

  #read({ bytes, id, owner }: Unacknowledged): Stanza | undefined {
    try {
      return Stanza.fromFrame(parseFrame(bytes));
    } catch (error) {
      this.#deps.log.error({ err: error, account: owner, id }, 'cannot read an unacknowledged stanza');
      return undefined;
    }
  }

  #end(key: string, handled: number, atMs: number): void {
    this.#deps.store.end(key, handled, atMs, atMs - rememberEndedMs).catch((error: unknown) => {
      this.#deps.log.warn({ err: error }, 'cannot record the end of a session');
    });
  }

  #expect(session: ClientSession, withinMs: number): void {
    this.#timers.set(
      session,
      this.#deps.clock.after(withinMs, () => this.#deps.end(session)),
    );
  }

  #stopWaiting(session: ClientSession): void {
    this.#timers.get(session)?.cancel();
    this.#timers.delete(session);
  }
}

/** A hash of the token, for the disk: it does not suffice to resume the session. */
function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
