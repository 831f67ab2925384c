import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from '../routing/account.ts';
import type { Claim, Extension, IqRequest } from '../routing/extension.ts';
import type { Session } from '../routing/session.ts';
import type { SessionDirectory } from '../routing/session-directory.ts';
import { accountShownTo, maySeePresence } from '../routing/visibility.ts';
import type { AccountStore, LastSeen } from '../storage/accounts.ts';
import { StorageError } from '../storage/storage-error.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { type Element, xml } from '../xml/element.ts';

/** Dependencies of last activity. */
interface LastActivityDeps {
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly store: Pick<AccountStore, 'setLastSeen'>;
  readonly clock: Clock;
  readonly log: Log;
}

const writeAfterMs = 2000;

const claim: Claim = {
  spec: 'XEP-0012',
  title: 'Last Activity',
  version: '2.0',
  status: 'complete',
  note: 'a requester who may not see the presence of an account gets service-unavailable, as for an address without an account',
};

/** Last Activity (XEP-0012): the uptime of the server, and the time since an account was last available. */
export function lastActivity(deps: LastActivityDeps): Extension {
  const startMs = deps.clock.monotonicMs();
  const uptime = () => answer(deps.clock.monotonicMs() - startMs);
  const notes = new LastSeenNotes(deps);
  const ofAccount = (request: IqRequest) => {
    const account = accountShownTo(request);
    return activityOf(account, notes.of(account), request, deps);
  };
  const query = { name: 'query', ns: ns.lastActivity, type: 'get' } as const;
  return {
    name: 'last-activity',
    claims: [claim],
    disco: { domain: [ns.lastActivity], account: [ns.lastActivity] },
    iq: [
      { ...query, scopes: ['server'], handle: uptime },
      { ...query, scopes: ['self', 'other'], handle: ofAccount },
    ],
    filter: { inbound: (stanza, recipient) => (isRequestOfStranger(stanza, recipient) ? 'refuse' : undefined) },
    presence: { withdrawn: ({ account, presence }) => notes.withdrawn(account, presence.statusWhenLeaving) },
    ended: ({ account, presence }) => notes.ended(account, presence.statusWhenLeaving),
    closing: () => notes.write(),
    accountRemoved: (account) => notes.forget(account),
  };
}

/** XEP-0012 §4: a request for a resource is not delivered to it if the sender may not see its presence. */
function isRequestOfStranger({ kind, type, from, to, payload }: Stanza, recipient: Account): boolean {
  if (kind !== 'iq' || type !== 'get' || !from || !to || to.isBare) return false;
  return payload.has('query', ns.lastActivity) && !maySeePresence(recipient, from);
}

/** XEP-0012 §3: 0 while a resource is available, else the time since the last one became unavailable or its session ended. */
function activityOf(
  account: Account,
  lastSeen: LastSeen | undefined,
  { scope }: IqRequest,
  { sessions, clock }: LastActivityDeps,
): Element {
  // To contacts, a resource without presence must look absent (RFC 6121 §11).
  const isThere = (session: Session) => scope === 'self' || session.presence.available !== undefined;
  if (sessions.of(account.key).some(isThere)) return answer(0);
  if (!lastSeen) throw StanzaError.itemNotFound('the account has never been online');
  return answer(clock.nowMs() - lastSeen.atMs, lastSeen.status);
}

function answer(elapsedMs: number, status = ''): Element {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1000));
  return xml('query', { xmlns: ns.lastActivity, seconds }, status);
}

/**
 * Notes when accounts were last available, and writes the notes to the disk for many accounts at a time: one commit for each session
 * would cost more than its login. A crash loses the latest notes.
 */
class LastSeenNotes {
  readonly #deps: LastActivityDeps;
  #waiting = new Map<string, LastSeen>();

  constructor(deps: LastActivityDeps) {
    this.#deps = deps;
  }

  /** A resource has become unavailable, possibly the last one. Its session may go on. */
  withdrawn(account: Account, status: string): void {
    const isAvailable = ({ presence }: Session) => presence.available !== undefined;
    if (!this.#deps.sessions.of(account.key).some(isAvailable)) this.#note(account, status);
  }

  /** A session has ended, possibly the last one. */
  ended(account: Account, status: string): void {
    if (this.#deps.sessions.of(account.key).length === 0) this.#note(account, status);
  }

  #note(account: Account, status: string): void {
    const { clock } = this.#deps;
    account.lastSeen = { atMs: clock.nowMs(), status };
    if (this.#waiting.size === 0) clock.after(writeAfterMs, () => void this.write());
    this.#waiting.set(account.key, account.lastSeen);
  }

  /** Prefers a note that is not written yet: the account may have been dropped from memory and loaded again. */
  of({ key, lastSeen }: Account): LastSeen | undefined {
    return this.#waiting.get(key) ?? lastSeen;
  }

  forget(account: Jid): void {
    this.#waiting.delete(account.toString());
  }

  async write(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    await Promise.all(Array.from(waiting, ([account, seen]) => this.#save(account, seen)));
  }

  async #save(account: string, { atMs, status }: LastSeen): Promise<void> {
    try {
      await this.#deps.store.setLastSeen(account, atMs, status);
    } catch (error) {
      const removed = error instanceof StorageError && error.code === 'not-found';
      if (!removed) this.#deps.log.warn({ err: error, account }, 'could not save last activity');
    }
  }
}
