import { delayElement } from '../../protocol/delay.ts';
import { Jid } from '../../protocol/jid.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import { acceptsMessages } from '../../routing/delivery-plan.ts';
import type { ExtensionHooks } from '../../routing/extension-hooks.ts';
import type { OutgoingRequests } from '../../routing/outgoing-requests.ts';
import { provesReceipt } from '../../routing/proof-of-receipt.ts';
import type { Session } from '../../routing/session.ts';
import type { StanzaFilters } from '../../routing/stanza-filters.ts';
import type { OfflineMessage, OfflineStore, Withheld } from '../../storage/offline.ts';
import type { Clock } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import { parseFrame } from '../../xml/parse-frame.ts';
import { XmlError } from '../../xml/xml-error.ts';
import type { DeliveredMessages } from './delivered-messages.ts';

const pageSize = 100;
/** The bytes to send before waiting until most of them have left. */
const pacedBytes = 64 * 1024;

/** Dependencies of {@link Drain}. */
export interface DrainDeps {
  readonly store: Pick<OfflineStore, 'list'>;
  readonly delivered: Pick<DeliveredMessages, 'has' | 'remove'>;
  readonly requests: Pick<OutgoingRequests, 'ask'>;
  /** The account may have blocked the sender meanwhile. */
  readonly filters: Pick<StanzaFilters, 'refusesInbound'>;
  readonly hooks: Pick<ExtensionHooks, 'settleDue'>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

/** How a drain ended: no messages are left, the session can no longer take messages, or the store failed. */
export type DrainOutcome = 'complete' | 'interrupted' | 'failed';

/**
 * Sends one session the messages stored for its account, a page at a time. A page is removed from the store when the client has proved
 * that it has read it.
 */
export class Drain {
  readonly session: Session;
  /** What the client reads in the archive. */
  readonly withheld: Withheld | undefined;
  readonly #deps: DrainDeps;
  readonly #finished: (outcome: DrainOutcome) => void;
  #sentUntilId = 0;
  #unanswered = 0;
  #running = false;
  #wanted = false;
  #failed = false;

  constructor(
    session: Session,
    withheld: Withheld | undefined,
    deps: DrainDeps,
    finished: (outcome: DrainOutcome) => void,
  ) {
    this.session = session;
    this.withheld = withheld;
    this.#deps = deps;
    this.#finished = finished;
  }

  /** Whether a message of the account may be on its way to the client. */
  hasSent(id: number): boolean {
    return id <= this.#sentUntilId;
  }

  /** Sends all messages that were not sent yet. */
  go(): void {
    this.#wanted = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    this.#failed = false;
    this.session.hold();
    try {
      while (this.#wanted && this.#canTake()) await this.#sendPage();
    } catch (error) {
      this.#failed = true;
      this.#deps.log.error({ err: error, account: this.session.account.key }, 'cannot read stored messages');
    }
    this.#running = false;
    this.session.release();
    this.#finishIfDone();
  }

  #canTake(): boolean {
    return !this.session.ended && acceptsMessages(this.session);
  }

  async #sendPage(): Promise<void> {
    this.#wanted = false;
    const page = await this.#nextPage();
    const done = await this.#sendAll(page);
    if (done.length > 0) void this.#forgetWhenRead(done);
    if (this.session.ended || page.length < pageSize) return;
    this.#wanted = true;
    await this.session.flushed();
  }

  /** Sends a page no faster than the client reads, to bound what waits for it. Resolves with the ids of handled messages. */
  async #sendAll(page: readonly OfflineMessage[]): Promise<number[]> {
    const { delivered } = this.#deps;
    const done: number[] = [];
    let sentBytes = 0;
    for (const message of page) {
      // A large message goes alone: together with others it could exceed what may wait for the network.
      if ((sentBytes > 0 && sentBytes + message.bytes.length > pacedBytes) || this.session.crowded) {
        await this.session.flushed();
        sentBytes = 0;
      }
      if (this.session.ended) break;
      const isNew = !delivered.has(this.session.account.key, message.id);
      if (isNew && this.#send(message)) done.push(message.id);
      this.#sentUntilId = message.id;
      sentBytes += message.bytes.length;
    }
    return done;
  }

  /** Messages that have expired meanwhile are settled first and not sent (XEP-0079 §3.3.2). */
  async #nextPage(): Promise<OfflineMessage[]> {
    const { store, hooks, clock } = this.#deps;
    const { key } = this.session.account;
    const isDue = ({ dueAtMs }: OfflineMessage) => dueAtMs !== undefined && dueAtMs <= clock.nowMs();
    for (;;) {
      const page = await store.list(key, this.#sentUntilId, pageSize, this.withheld);
      if (!page.some(isDue) || !(await hooks.settleDue(key))) return page;
    }
  }

  /** Returns whether the message is handled. A damaged message stays in the store for the operator. */
  #send(stored: OfflineMessage): boolean {
    const { session } = this;
    const message = this.#read(stored);
    if (!message) return false;
    if (this.#deps.filters.refusesInbound(message, session.account)) return true;
    const delay = delayElement({ from: domainOf(session), stampMs: stored.receivedAtMs });
    session.sendStored(message.with({ payload: message.payload.with(delay) }));
    return true;
  }

  #read({ id, bytes }: OfflineMessage): Stanza | undefined {
    try {
      return Stanza.fromFrame(parseFrame(bytes));
    } catch (error) {
      if (!(error instanceof XmlError || error instanceof StanzaError || error instanceof StreamError)) throw error;
      this.#deps.log.error({ err: error, account: this.session.account.key, id }, 'a stored message is damaged');
      return undefined;
    }
  }

  async #forgetWhenRead(ids: readonly number[]): Promise<void> {
    this.#unanswered++;
    const { delivered, requests } = this.#deps;
    if (await provesReceipt(this.session, requests)) await delivered.remove(this.session.account.key, ids);
    this.#unanswered--;
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#running || this.#unanswered > 0) return;
    this.#finished(this.#failed ? 'failed' : this.#wanted ? 'interrupted' : 'complete');
  }
}

function domainOf({ jid }: Session): Jid {
  return Jid.from('', jid.domain);
}
