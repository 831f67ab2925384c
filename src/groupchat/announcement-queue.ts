import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Announcement } from './room/decision.ts';

/** One decision whose announcements are not sent yet. */
interface Entry {
  readonly announcements: readonly Announcement[];
  /** The number of the message that is being stored. */
  readonly posted: number | undefined;
  state: 'writing' | 'ready' | 'failed';
  error: unknown;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A write that must be durable before its announcements leave. */
export interface Writing {
  readonly done: Promise<void>;
  /** The number of the posted message. */
  readonly posted: number;
}

/**
 * The announcements of one room, in the order of its decisions. Each leaves when its write is durable, and none overtakes another, so
 * all occupants see everything in one order.
 */
export class AnnouncementQueue {
  readonly #send: (announcements: readonly Announcement[]) => MaybePromise<void>;
  readonly #entries: Entry[] = [];
  /** Messages that could not be stored, as long as announcements wait that may carry them. */
  readonly #lost = new Set<number>();
  #sending = false;

  constructor(send: (announcements: readonly Announcement[]) => MaybePromise<void>) {
    this.#send = send;
  }

  /** Whether all announcements are sent. */
  get isEmpty(): boolean {
    return this.#entries.length === 0 && !this.#sending;
  }

  /** How many decisions wait. */
  get length(): number {
    return this.#entries.length;
  }

  /** Sends announcements, after a write if there is one. Rejects if the write fails: then nobody gets them. */
  add(announcements: readonly Announcement[], writing?: Writing): MaybePromise<void> {
    if (!writing && this.isEmpty) return this.#sendNow(announcements);
    return new Promise((resolve, reject) => {
      const entry: Entry = {
        announcements,
        posted: writing?.posted,
        state: writing ? 'writing' : 'ready',
        error: undefined,
        resolve,
        reject,
      };
      this.#entries.push(entry);
      writing?.done.then(
        () => this.#settle(entry, 'ready'),
        (error: unknown) => this.#settle(entry, 'failed', error),
      );
    });
  }

  /** Refuses a command, after everything that was decided before. Throws or rejects with the error. */
  refuse(error: unknown): Promise<never> {
    if (this.isEmpty) throw error;
    return new Promise((_, reject) => {
      const resolve = () => undefined;
      this.#entries.push({ announcements: [], posted: undefined, state: 'failed', error, resolve, reject });
    });
  }

  #sendNow(announcements: readonly Announcement[]): MaybePromise<void> {
    const sent = this.#send(announcements);
    if (!(sent instanceof Promise)) return;
    this.#sending = true;
    return sent.finally(() => {
      this.#sending = false;
      this.#advance();
    });
  }

  #settle(entry: Entry, state: 'ready' | 'failed', error?: unknown): void {
    entry.state = state;
    entry.error = error;
    if (state === 'failed' && entry.posted !== undefined) this.#lost.add(entry.posted);
    this.#advance();
  }

  /** Sends the announcements at the head of the queue, up to the first write that is not done. */
  #advance(): void {
    while (!this.#sending) {
      const [entry] = this.#entries;
      if (!entry || entry.state === 'writing') break;
      this.#entries.shift();
      if (entry.state === 'failed') entry.reject(entry.error);
      else this.#leave(entry);
    }
    if (this.isEmpty) this.#lost.clear();
  }

  #leave({ announcements, resolve, reject }: Entry): void {
    try {
      const sent = this.#sendNow(this.#lost.size === 0 ? announcements : announcements.filter(this.#isKept));
      if (sent instanceof Promise) sent.then(resolve, reject);
      else resolve();
    } catch (error) {
      reject(error);
    }
  }

  readonly #isKept = ({ posted }: Announcement): boolean => posted === undefined || !this.#lost.has(posted);
}
