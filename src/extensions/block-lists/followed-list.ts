import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import {
  type ItemsEvent,
  itemsElement,
  readItemsPage,
  subscribeElement,
  unsubscribeElement,
} from '../../protocol/pubsub-items.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import type { Log } from '../../support/log.ts';
import type { Element } from '../../xml/element.ts';

/** A block list: a node of a publish-subscribe service. */
export interface BlockListAddress {
  readonly service: string;
  readonly node: string;
}

/** Dependencies of a followed list. */
interface FollowedListDeps {
  readonly service: Jid;
  readonly node: string;
  /** The address at which this server gets notifications. */
  readonly subscriber: Jid;
  /** Asks the service; undefined if it does not answer. */
  readonly ask: (payload: Element, type: 'get' | 'set') => Promise<Stanza | undefined>;
  /** The entries that this server has of the list. */
  readonly entries: () => ReadonlySet<string>;
  readonly change: (added: readonly string[], removed: readonly string[]) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** How a list is followed. */
interface FollowingReport {
  /** Whether notifications come. Otherwise the entries may be out of date. */
  readonly followed: boolean;
  /** When the whole list was read last, in milliseconds since 1970. */
  readonly readAtMs?: number | undefined;
  /** Why it could not be read. */
  readonly problem?: string | undefined;
}

/** Items in one answer: small enough for the largest stanza of any server. */
const itemsPerPage = 500;
/** A list with more entries is not read to its end. */
const maxEntries = 200_000;
/** How long after a success the whole list is read again, because a service may have forgotten the subscription. */
const readAgainMs = 6 * 3_600_000;
/** How long after a failure; each further failure doubles it. */
const retryMs = { first: 60_000, longest: 3_600_000 };

/**
 * Follows one block list: subscribes to its node, reads it, and takes the notifications. When the service cannot be reached, the entries
 * stay as they are.
 */
export class FollowedList {
  readonly #deps: FollowedListDeps;
  #timer: Timer | undefined;
  #failures = 0;
  /** Notifications that come while the list is read. */
  #late: ItemsEvent[] | undefined;
  #report: FollowingReport = { followed: false };
  #ended = false;

  constructor(deps: FollowedListDeps) {
    this.#deps = deps;
  }

  get report(): FollowingReport {
    return this.#report;
  }

  get service(): Jid {
    return this.#deps.service;
  }

  /** Subscribes and reads the whole list, now and from time to time. */
  start(): void {
    this.#timer?.cancel();
    if (this.#late || this.#ended) return;
    void this.#read().then((afterMs) => {
      if (!this.#ended) this.#timer = this.#deps.clock.after(afterMs, () => this.start());
    });
  }

  /** The stream to the server of the list has broken, and notifications may be lost. */
  startSoon(): void {
    if (this.#ended || this.#late) return;
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.after(retryMs.first, () => this.start());
  }

  stop(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  /** Stops, and ends the subscription. */
  leave(): void {
    this.stop();
    const { node, subscriber, ask } = this.#deps;
    void ask(unsubscribeElement(node, subscriber.toString()), 'set');
  }

  /** Takes a notification; false if it is not for this list. */
  take(from: Jid, event: ItemsEvent): boolean {
    const { service, node } = this.#deps;
    if (event.node !== node || !from.bare().equals(service.bare())) return false;
    this.#late?.push(event);
    this.#apply(event);
    return true;
  }

  #apply({ purged, published, retracted }: ItemsEvent): void {
    const { entries, change } = this.#deps;
    const added = new Set(published);
    const gone = purged ? [...entries()] : retracted;
    change(
      [...added],
      gone.filter((entry) => !added.has(entry)),
    );
  }

  /** Resolves with the time after which to read again. Subscribes first, so that nothing published meanwhile is missed. */
  async #read(): Promise<number> {
    const { node, subscriber, entries, change, clock } = this.#deps;
    this.#late = [];
    try {
      await this.#ask(subscribeElement(node, subscriber.toString()), 'set');
      const found = await this.#readAll();
      const before = entries();
      change(
        [...found].filter((entry) => !before.has(entry)),
        [...before].filter((entry) => !found.has(entry)),
      );
      for (const event of this.#late) this.#apply(event);
      this.#succeeded(clock.nowMs());
      return readAgainMs;
    } catch (error) {
      return this.#failed(error);
    } finally {
      this.#late = undefined;
    }
  }

  async #readAll(): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (let after: string | undefined, more = true; more; ) {
      const page = readItemsPage(await this.#ask(itemsElement(this.#deps.node, { max: itemsPerPage, after }), 'get'));
      const before = found.size;
      for (const id of page.ids) found.add(id);
      after = page.after;
      // A service that does not know pages sends the same items again.
      const isComplete = page.count !== undefined && found.size >= page.count;
      more = after !== undefined && !isComplete && found.size > before && found.size < maxEntries;
    }
    return found;
  }

  async #ask(payload: Element, type: 'get' | 'set'): Promise<Stanza> {
    const answer = await this.#deps.ask(payload, type);
    if (!answer) throw StanzaError.remoteServerTimeout();
    const error = answer.type === 'error' ? answer.payload.find('error', ns.client) : undefined;
    if (error) throw StanzaError.fromElement(answer.payload.element(error));
    return answer;
  }

  #succeeded(readAtMs: number): void {
    const { log, service, node, entries } = this.#deps;
    if (!this.#report.followed) {
      log.info({ service: service.toString(), node, entries: entries().size }, 'a block list is followed');
    }
    this.#failures = 0;
    this.#report = { followed: true, readAtMs };
  }

  /** Logged once, until it works again. */
  #failed(error: unknown): number {
    const { log, service, node } = this.#deps;
    const problem = error instanceof StanzaError ? (error.text ?? error.condition) : String(error);
    if (this.#failures === 0) {
      log.warn({ service: service.toString(), node, reason: problem }, 'a block list cannot be read; its entries stay');
    }
    this.#failures += 1;
    this.#report = { ...this.#report, followed: false, problem };
    return Math.min(retryMs.longest, retryMs.first * 2 ** (this.#failures - 1));
  }
}
