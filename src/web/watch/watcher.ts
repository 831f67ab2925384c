import type { Clock } from '../../support/clock.ts';
import { TokenBucket } from '../../support/token-bucket.ts';
import type { WatchFilter } from './watch-filter.ts';

/** A stanza on a stream. */
export interface WatchedStanza {
  readonly what: 'stanza';
  readonly at: string;
  /** `in`: read by the server. */
  readonly direction: 'in' | 'out';
  /** The kind of the stream. */
  readonly via: string;
  readonly peer: string;
  readonly kind: string;
  readonly type?: string | undefined;
  readonly id?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Size of the content. */
  readonly bytes: number;
  /** The content. Unless the watcher may see it, texts and the values of attributes are replaced by an ellipsis. */
  readonly content: string;
}

/** What a watcher gets. */
export type WatchItem =
  | WatchedStanza
  /** A line of the log, in JSON. */
  | { readonly what: 'log'; readonly line: string }
  /** The watcher is too slow, or there is too much: as many items as this are missing here. */
  | { readonly what: 'lost'; readonly items: number }
  /** The last item. */
  | { readonly what: 'end'; readonly reason: string };

/** Items that wait for a slow watcher. */
const maxWaiting = 1000;
/** Writing an item down costs the server much more than looking at it. */
const itemsPerSecond = 2000;
const itemsAtOnce = 4000;

/** One watcher: items that fit its filter, as an iterator. Never has more than a bounded number of items. */
export class Watcher implements AsyncIterableIterator<WatchItem, undefined> {
  readonly filter: WatchFilter;
  readonly bodies: boolean;
  readonly #allowance: TokenBucket;
  readonly #ended: () => void;
  readonly #items: WatchItem[] = [];
  #lost = 0;
  #over = false;
  #waiting: (() => void) | undefined;

  /** `ended` is called once, when nobody watches any more. */
  constructor(filter: WatchFilter, bodies: boolean, clock: Clock, ended: () => void) {
    this.filter = filter;
    this.bodies = bodies;
    this.#allowance = new TokenBucket(itemsPerSecond, itemsAtOnce, clock);
    this.#ended = ended;
  }

  /** Adds an item, unless there is no room: then it is not even made. */
  offer(make: () => WatchItem): void {
    if (this.#over) return;
    if (this.#items.length >= maxWaiting || !this.#allowance.tryTake()) {
      this.#lost += 1;
      return;
    }
    this.#noteLoss();
    this.#items.push(make());
    this.#wake();
  }

  /** Ends the watch; the reason is the last item. */
  end(reason: string): void {
    if (this.#over) return;
    this.#noteLoss();
    this.#items.push({ what: 'end', reason });
    this.#stop();
  }

  async next(): Promise<IteratorResult<WatchItem, undefined>> {
    for (;;) {
      const value = this.#items.shift();
      if (value !== undefined) return { done: false, value };
      if (this.#over) return { done: true, value: undefined };
      if (this.#lost > 0) this.#noteLoss();
      else await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }

  /** Nobody reads any more. */
  async return(): Promise<IteratorResult<WatchItem, undefined>> {
    this.#items.length = 0;
    this.#stop();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #noteLoss(): void {
    if (this.#lost === 0) return;
    this.#items.push({ what: 'lost', items: this.#lost });
    this.#lost = 0;
  }

  #stop(): void {
    if (this.#over) return;
    this.#over = true;
    this.#wake();
    this.#ended();
  }

  #wake(): void {
    const wake = this.#waiting;
    this.#waiting = undefined;
    wake?.();
  }
}
