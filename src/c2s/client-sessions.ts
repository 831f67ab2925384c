import type { Jid } from '../protocol/jid.ts';
import { JidError } from '../protocol/jid.ts';
import { randomId } from '../protocol/random-id.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Account } from '../routing/account.ts';
import { type MaybePromise, then } from '../routing/maybe-promise.ts';
import type { Session } from '../routing/session.ts';
import type { SessionDirectory } from '../routing/session-directory.ts';
import { PendingRedeliveries } from '../streams/acknowledgment/pending-redeliveries.ts';
import type { RouteStanza } from '../streams/acknowledgment/redelivery.ts';
import { ClientSession, type SessionDeps } from './client-session.ts';
import {
  type FoundSession,
  type RestoreWatch,
  ResumableSessions,
  type ResumptionDeps,
} from './management/resumable-sessions.ts';
import type { Leaving, SessionStream } from './session-stream.ts';

/** The limit on sessions per account, and the rule for conflicts over a resource. */
export interface SessionPolicy {
  readonly maxPerAccount: number;
  readonly conflict: 'replace' | 'refuse';
}

/** Dependencies of binding. */
interface ClientSessionDeps extends Omit<SessionDeps, 'end' | 'store'>, ResumptionDeps {
  readonly directory: SessionDirectory;
  readonly account: (jid: Jid) => MaybePromise<Account | undefined>;
  readonly policy: SessionPolicy;
  /** The session has left the directory. */
  readonly ended: (session: Session) => void;
  /** The connection of a session is lost. Its client may not have the stanzas in `unconfirmed`. */
  readonly connectionLost: (session: Session, unconfirmed: readonly Stanza[]) => void;
  /** All sessions from the disk are in the directory. */
  readonly restored: () => void;
  /** A session loaded from the disk after a restart has been resumed. */
  readonly returned: (session: Session) => void;
  readonly restoreWatch: RestoreWatch;
  /** Routes a stanza again. */
  readonly route: RouteStanza;
}

/** Makes and ends the sessions of clients (RFC 6120 §7), and keeps resumable ones (XEP-0198 §5). */
export class ClientSessions {
  readonly resumable: ResumableSessions;
  readonly #deps: ClientSessionDeps;
  readonly #sessionDeps: SessionDeps;
  /** Redeliveries of the undelivered stanzas of ended sessions. */
  readonly #pendingRedeliveries: PendingRedeliveries;

  constructor(deps: ClientSessionDeps) {
    this.#deps = deps;
    this.#pendingRedeliveries = new PendingRedeliveries(deps);
    this.#sessionDeps = { ...deps, end: (session) => this.end(session) };
    this.resumable = new ResumableSessions({ ...deps, end: (session) => this.end(session) });
  }

  /** Binds a resource for an authenticated client; a random one if it asked for none. Throws StanzaError. */
  bind(identity: Jid, requested: string | undefined, stream: SessionStream): MaybePromise<ClientSession> {
    const jid = withResource(identity, requested || randomId());
    return then(this.#deps.account(identity), (account) => {
      if (!account) throw StanzaError.notAuthorized('the account no longer exists');
      this.#makeRoom(jid, account);
      const session = new ClientSession(jid, account, stream, this.#deps.clock.nowMs(), this.#sessionDeps);
      this.#deps.directory.add(session);
      return session;
    });
  }

  /** Ends a session, for any reason. */
  end(session: ClientSession, leaving: Leaving = 'closed'): void {
    if (session.ended) return;
    this.#deps.directory.remove(session);
    const undelivered = session.end(leaving);
    this.resumable.ended(session);
    this.#deps.ended(session);
    if (undelivered.length > 0) void this.#pendingRedeliveries.take(undelivered, session.jid.domain);
  }

  /** A stream leaves its session: for good, or because its connection is lost and the session can be resumed. */
  left(session: ClientSession, stream: SessionStream, leaving: Leaving): void {
    if (session.stream !== stream) return;
    if (leaving === 'lost' && session.management?.resumability)
      this.#deps.connectionLost(session, this.resumable.detach(session));
    else this.end(session, leaving);
  }

  /** Restores resumable sessions, and stanzas without a session, from the last run. */
  async restore(): Promise<void> {
    const restored = await this.resumable.living();
    for (const found of restored) await this.#restore(found);
    this.#deps.restored();
    await this.#takeStrays();
    // Now, because a crash would repeat all redeliveries.
    await this.settled();
  }

  /** The server stops: detached sessions can be resumed after its next start. Resolves like {@link settled}. */
  stop(): Promise<void> {
    this.resumable.stop();
    return this.settled();
  }

  /** Resolves when redelivered stanzas are durable, or some time has passed, and released copies are removed. */
  async settled(): Promise<void> {
    await this.#pendingRedeliveries.settled();
    await this.#deps.copies.flush();
  }

  async #restore(found: FoundSession): Promise<void> {
    const account = await this.#deps.account(found.jid.bare());
    if (!account || this.#deps.directory.find(found.jid)) return this.resumable.drop(found);
    const session = new ClientSession(found.jid, account, undefined, this.#deps.clock.nowMs(), this.#sessionDeps);
    await this.resumable.restore(session, found);
    session.release();
    this.#deps.directory.add(session);
  }

  async #takeStrays(): Promise<void> {
    const pageSize = 500;
    let afterId = 0;
    for (;;) {
      const page = await this.resumable.strays(afterId, pageSize);
      for (const { domain, undelivered } of page) await this.#pendingRedeliveries.take(undelivered, domain);
      afterId = page.at(-1)?.id ?? afterId;
      if (page.length < pageSize) return;
    }
  }

  /** RFC 6120 §7.7.2.2: the new session wins unless the operator decided otherwise; §7.6.2.1: there is a limit. */
  #makeRoom(jid: Jid, account: Account): void {
    const { directory, policy } = this.#deps;
    const holder = directory.find(jid);
    if (holder && policy.conflict === 'refuse' && !holder.detached) {
      throw StanzaError.conflict('the resource is already in use');
    }
    if (holder) return holder.close(StreamError.conflict('replaced by a new session'));
    const sessions = directory.of(account.key);
    if (sessions.length < policy.maxPerAccount) return;
    const longestLost = sessions.find(({ detached }) => detached);
    if (!longestLost) throw StanzaError.resourceConstraint('too many sessions');
    longestLost.close(StreamError.resourceConstraint('too many sessions'));
  }
}

function withResource(identity: Jid, resource: string): Jid {
  try {
    return identity.withResource(resource);
  } catch (error) {
    if (error instanceof JidError) throw StanzaError.badRequest(error.message);
    throw error;
  }
}
