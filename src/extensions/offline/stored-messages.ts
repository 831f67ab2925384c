import { withoutDelaysOf } from '../../protocol/delay.ts';
import type { Jid } from '../../protocol/jid.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { Accounts } from '../../routing/accounts.ts';
import { acceptsMessages } from '../../routing/delivery-plan.ts';
import type { ExtensionHooks } from '../../routing/extension-hooks.ts';
import type { ArchivingPlan } from '../../routing/message-archive.ts';
import type { ArchiveReading, MessageStore, StoredExtras } from '../../routing/message-store.ts';
import type { Session } from '../../routing/session.ts';
import type { SessionDirectory } from '../../routing/session-directory.ts';
import type { OfflineQuota, OfflineStore, OfflineUsages, Withheld } from '../../storage/offline.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { Clock } from '../../support/clock.ts';
import { ArchiveReadings } from './archive-readings.ts';
import { DeliveredMessages } from './delivered-messages.ts';
import { Drain, type DrainDeps, type DrainOutcome } from './drain.ts';

/** What the operator decides about stored messages. */
export interface OfflineOptions extends OfflineQuota {
  /** Whether clients that read the archive get stored messages, too. */
  readonly toArchiveClients: boolean;
}

/** Dependencies of {@link StoredMessages}. */
export interface StoredMessagesDeps extends Omit<DrainDeps, 'delivered'> {
  readonly store: Pick<OfflineStore, 'append' | 'list' | 'remove' | 'idsOf'>;
  readonly hooks: Pick<ExtensionHooks, 'settleDue' | 'messageArchive'>;
  readonly options: OfflineOptions;
  readonly sessions: Pick<SessionDirectory, 'of'>;
  readonly accounts: Pick<Accounts, 'peek'>;
  readonly clock: Pick<Clock, 'nowMs' | 'after'>;
}

/** The messages stored for absent users (XEP-0160 §2). At most one session of each user gets them at a time. */
export class StoredMessages implements MessageStore {
  readonly #deps: StoredMessagesDeps;
  readonly #drains = new Map<string, Drain>();
  readonly #delivered: DeliveredMessages;
  readonly #readings: ArchiveReadings;

  constructor(deps: StoredMessagesDeps) {
    this.#deps = deps;
    const removed = (account: string, usages: OfflineUsages) => {
      for (const kind of ['unarchived', 'archived'] as const)
        deps.accounts.peek(account)?.countStored(kind, -usages[kind].messages, -usages[kind].bytes);
    };
    this.#delivered = new DeliveredMessages({ ...deps, removed });
    this.#readings = new ArchiveReadings({ ...deps, delivered: this.#delivered });
  }

  /** Whether the quota allows any message. */
  get keepsAny(): boolean {
    return this.#deps.options.maxMessages > 0;
  }

  hasRoom(message: Stanza, { stored }: Account, archiving?: ArchivingPlan): boolean {
    if (archiving?.suffices) return true;
    const { maxMessages, maxBytes } = this.#deps.options;
    const { messages, bytes } = archiving ? stored.archived : stored.unarchived;
    return messages < maxMessages && bytes + bytesToKeep(message).length <= maxBytes;
  }

  async keep(message: Stanza, owner: Jid, extras: StoredExtras = {}): Promise<void> {
    const { store, options, accounts, clock } = this.#deps;
    const key = owner.toString();
    const bytes = bytesToKeep(message);
    const from = message.from?.toString() ?? owner.domain;
    const { sentAtMs = clock.nowMs(), ...guard } = extras;
    const kept = { ...guard, from, receivedAtMs: sentAtMs, bytes };
    // Counted at once, so that the plan of the next message knows of this one.
    const account = accounts.peek(key);
    const kind = extras.copy ? 'archived' : 'unarchived';
    account?.countStored(kind, 1, bytes.length);
    const id = await store.append(key, kept, options).catch((error: unknown) => {
      account?.countStored(kind, -1, -bytes.length);
      return refuse(error);
    });
    if (id === 0) account?.countStored(kind, -1, -bytes.length);
    else this.#deliver(key);
  }

  /** Whether a client may have read a stored message, confirmed or not. */
  isInFlight(account: string, id: number): boolean {
    if (this.#delivered.has(account, id) || this.#readings.isGiven(account, id)) return true;
    return this.#drains.get(account)?.hasSent(id) ?? false;
  }

  beginReading(session: Session): Promise<ArchiveReading | undefined> {
    return this.#readings.begin(session);
  }

  /** The session can take messages now. */
  available(session: Session): void {
    const { key, stored } = session.account;
    const drain = this.#drains.get(key);
    // Messages stored from now on are sent by #deliver.
    if (!drain && stored.unarchived.messages + stored.archived.messages > 0) this.#start(session);
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
    if (drain) return drain.go();
    const takers = this.#deps.sessions.of(account).filter(acceptsMessages);
    const taker = takers.find((session) => this.#withheldFrom(session) === undefined) ?? takers[0];
    if (taker) this.#start(taker);
  }

  /** What the client reads in the archive; undefined if it gets all stored messages. */
  #withheldFrom(session: Session): Withheld | undefined {
    const { options, hooks } = this.#deps;
    const beforeId = options.toArchiveClients ? undefined : hooks.messageArchive?.readsBefore(session);
    return beforeId === undefined ? undefined : { beforeId };
  }

  #start(session: Session): void {
    const deps = { ...this.#deps, delivered: this.#delivered };
    const withheld = this.#withheldFrom(session);
    const drain: Drain = new Drain(session, withheld, deps, (outcome) => this.#finished(drain, outcome));
    this.#drains.set(session.account.key, drain);
    drain.go();
  }

  #finished(drain: Drain, outcome: DrainOutcome): void {
    const { key } = drain.session.account;
    if (this.#drains.get(key) !== drain) return;
    this.#drains.delete(key);
    if (outcome === 'interrupted') return this.#deliver(key);
    // A client that does not read the archive may have come meanwhile.
    const isFor = (session: Session) => acceptsMessages(session) && this.#withheldFrom(session) === undefined;
    const next = drain.withheld && this.#deps.sessions.of(key).find(isFor);
    if (outcome === 'complete' && next) this.available(next);
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
