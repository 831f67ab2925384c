import type { Jid } from '../protocol/jid.ts';
import { JidError } from '../protocol/jid.ts';
import { randomId } from '../protocol/random-id.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Account } from '../routing/account.ts';
import { type Eventually, then } from '../routing/eventually.ts';
import type { Session } from '../routing/session.ts';
import type { SessionDirectory } from '../routing/session-directory.ts';
import type { Clock } from '../support/clock.ts';
import { ClientSession, type SessionStream } from './client-session.ts';

/** How many sessions an account may have, and who yields when two want the same resource. */
export interface SessionPolicy {
  readonly maxPerAccount: number;
  readonly conflict: 'replace' | 'refuse';
}

/** What binding needs from the rest of the house. */
export interface ClientSessionParts {
  readonly directory: SessionDirectory;
  readonly account: (jid: Jid) => Eventually<Account | undefined>;
  readonly policy: SessionPolicy;
  readonly clock: Clock;
  /** The session has left the directory. */
  readonly ended: (session: Session) => void;
  /** Takes a message that a session could not deliver any more. */
  readonly undelivered: (message: Stanza) => void;
}

/** Makes and ends the sessions of clients (RFC 6120 §7). */
export class ClientSessions {
  readonly #parts: ClientSessionParts;

  constructor(parts: ClientSessionParts) {
    this.#parts = parts;
  }

  /** Binds a resource for an authenticated client; one of ours if it asked for none. Throws StanzaError. */
  bind(identity: Jid, requested: string | undefined, stream: SessionStream): Eventually<ClientSession> {
    const jid = withResource(identity, requested || randomId());
    return then(this.#parts.account(identity), (account) => {
      if (!account) throw StanzaError.notAuthorized('the account is gone');
      this.#makeRoom(jid, account);
      const session = new ClientSession(jid, account, stream, this.#parts.clock.nowMs());
      this.#parts.directory.add(session);
      return session;
    });
  }

  /** Ends a session, whatever the reason. */
  end(session: ClientSession): void {
    if (session.ended) return;
    this.#parts.directory.remove(session);
    const unsent = session.end();
    this.#parts.ended(session);
    for (const stanza of unsent) if (stanza.kind === 'message') this.#parts.undelivered(stanza);
  }

  /** RFC 6120 §7.7.2.2: the new session wins unless the operator decided otherwise; §7.6.2.1: there is a limit. */
  #makeRoom(jid: Jid, account: Account): void {
    const { directory, policy } = this.#parts;
    const holder = directory.find(jid);
    if (holder && policy.conflict === 'refuse') throw StanzaError.conflict('the resource is in use');
    if (holder) holder.close(StreamError.conflict('replaced by a new session'));
    else if (directory.of(account.key).length >= policy.maxPerAccount) {
      throw StanzaError.resourceConstraint('too many sessions');
    }
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
