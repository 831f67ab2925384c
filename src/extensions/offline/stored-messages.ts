import { withoutDelaysOf } from '../../protocol/delay.ts';
import type { Jid } from '../../protocol/jid.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { Accounts } from '../../routing/accounts.ts';
import { acceptsMessages } from '../../routing/delivery-plan.ts';
import type { MessageStore, StoredExtras } from '../../routing/message-store.ts';
import type { Session } from '../../routing/session.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { OfflineQuota, OfflineStore, OfflineUsage } from '../../storage/offline.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Clock } from '../../support/clock.ts';
import { DeliveredMessages } from './delivered-messages.ts';
import { Drain, type DrainDeps, type DrainOutcome } from './drain.ts';

/** Dependencies of {@link StoredMessages}. */
export interface StoredMessagesDeps extends Omit<DrainDeps, 'delivered'> {
  readonly store: Pick<OfflineStore, 'append' | 'list' | 'remove'>;
  readonly quota: OfflineQuota;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly accounts: Pick<Accounts, 'peek'>;
  readonly clock: Pick<Clock, 'nowMs' | 'after'>;
}

/** The messages stored for absent users (XEP-0160 §2). At most one session of each user gets them at a time. */
export class StoredMessages implements MessageStore {
  readonly #deps: StoredMessagesDeps;
  readonly #drains = new Map<string, Drain>();
  readonly #delivered: DeliveredMessages;

  constructor(deps: StoredMessagesDeps) {
    this.#deps = deps;
    const removed = (account: string, { messages, bytes }: OfflineUsage) =>
      deps.accounts.peek(account)?.countStored(-messages, -bytes);
    this.#delivered = new DeliveredMessages({ ...deps, removed });
  }

  /** Whether the quota allows any message. */
  get keepsAny(): boolean {
    return this.#deps.quota.maxMessages > 0;
  }

  hasRoom(message: Stanza, { stored }: Account): boolean {
    const { maxMessages, maxBytes } = this.#deps.quota;
    return stored.messages < maxMessages && stored.bytes + bytesToKeep(message).length <= maxBytes;
  }

  async keep(message: Stanza, owner: Jid, extras: StoredExtras = {}): Promise<void> {
    const { store, quota, accounts, clock } = this.#deps;
    const key = owner.toString();
    const bytes = bytesToKeep(message);
    const from = message.from?.toString() ?? owner.domain;
    const { sentAtMs = clock.nowMs(), ...guard } = extras;
    const kept = { ...guard, from, receivedAtMs: sentAtMs, bytes };
    // Counted at once, so that the plan of the next message knows of this one.
    const account = accounts.peek(key);
    account?.countStored(1, bytes.length);
    await store.append(key, kept, quota).catch((error: unknown) => {
      account?.countStored(-1, -bytes.length);
      return refuse(error);
    });
    this.#deliver(key);
  }

  /** Whether a client may have read a stored message, confirmed or not. */
  isInFlight(account: string, id: number): boolean {
    return this.#delivered.has(account, id) || (this.#drains.get(account)?.hasSent(id) ?? false);
  }

  /** The session can take messages now. */
  available(session: Session): void {
    const { key, stored } = session.account;
    const drain = this.#drains.get(key);
    // Messages stored from now on are sent by #deliver.
    if (!drain && stored.messages > 0) this.#start(session);
    else if (drain?.session === session) drain.go();
  }

  /** Messages that the session has not confirmed go to the account's next session. */
  ended(session: Session): void {
    const { key } = session.account;
    if (this.#drains.get(key)?.session !== session) return;
    this.#drains.delete(key);
    this.#deliver(key);
  }

  /** Sends stored messages, if a session can take them: a message can be stored just when its owner comes back. */
  #deliver(account: string): void {
    const drain = this.#drains.get(account);
    const taker = drain ?? this.#deps.sessions.of(account).find((session) => acceptsMessages(session));
    if (taker instanceof Drain) taker.go();
    else if (taker) this.#start(taker);
  }

  #start(session: Session): void {
    const deps = { ...this.#deps, delivered: this.#delivered };
    const drain: Drain = new Drain(session, deps, (outcome) => this.#finished(drain, outcome));
    this.#drains.set(session.account.key, drain);
    drain.go();
  }

  #finished(drain: Drain, outcome: DrainOutcome): void {
    const { key } = drain.session.account;
    if (this.#drains.get(key) !== drain) return;
    this.#drains.delete(key);
    if (outcome === 'interrupted') this.#deliver(key);
  }
}

/** A message as it is stored, without forged delays of this server (XEP-0203 §5). */
function bytesToKeep(message: Stanza): Buffer {
  const { payload, to } = message;
  return message.with({ payload: withoutDelaysOf(payload, to?.domain ?? '') }).toBytes();
}

/** XEP-0160 §2: a full store is answered with service-unavailable. */
function refuse(error: unknown): never {
  const refused = error instanceof StorageError && (error.code === 'quota' || error.code === 'not-found');
  throw refused ? StanzaError.serviceUnavailable() : error;
}
