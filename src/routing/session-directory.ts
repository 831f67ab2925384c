import type { Jid } from '../protocol/jid.ts';
import type { Session } from './session.ts';

/** Finds the sessions of accounts. In one process this is a map; the interface also allows a cluster. */
export interface SessionDirectory {
  /** The sessions of an account, by the text of its bare JID. The array never changes. */
  of(account: string): readonly Session[];
  /** The session with exactly this full JID. */
  find(fullJid: Jid): Session | undefined;
  add(session: Session): void;
  /** Removes this session. A newer session with the same JID stays. */
  remove(session: Session): void;
  /** The number of sessions. */
  readonly size: number;
  all(): IterableIterator<Session>;
}

const nobody: readonly Session[] = [];

/** The sessions of this process. */
export class LocalSessions implements SessionDirectory {
  readonly #byAccount = new Map<string, Session[]>();
  #size = 0;

  of(account: string): readonly Session[] {
    return this.#byAccount.get(account) ?? nobody;
  }

  find(fullJid: Jid): Session | undefined {
    const sessions = this.#byAccount.get(fullJid.bare().toString());
    if (!sessions) return undefined;
    // Accounts have few sessions: a scan is cheaper than a second map.
    for (const session of sessions) if (session.jid.resource === fullJid.resource) return session;
    return undefined;
  }

  add(session: Session): void {
    const { key } = session.account;
    this.#byAccount.set(key, [...this.of(key), session]);
    this.#size++;
  }

  remove(session: Session): void {
    const { key } = session.account;
    const sessions = this.of(key);
    const others = sessions.filter((one) => one !== session);
    if (others.length === sessions.length) return;
    if (others.length === 0) this.#byAccount.delete(key);
    else this.#byAccount.set(key, others);
    this.#size--;
  }

  get size(): number {
    return this.#size;
  }

  *all(): IterableIterator<Session> {
    for (const sessions of this.#byAccount.values()) yield* sessions;
  }
}
