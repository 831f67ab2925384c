import { answerText, type BoshAnswer } from './bosh-body.ts';

/** The HTTP exchange of a request. It gets one answer. */
export interface Exchange {
  readonly answer: (answer: BoshAnswer) => void;
  /** Whether the client has disconnected. */
  readonly lost: boolean;
}

/** A request that has not been answered, and what it says. */
interface Pending<Content> {
  readonly rid: number;
  readonly content: Content;
  exchange: Exchange;
  /** When it came, in monotonic milliseconds. */
  readonly sinceMs: number;
}

/** For the first exchange of a request that came again: the second one gets the answer (XEP-0124 §17.3). */
const repeatedElsewhere: BoshAnswer = { status: 200, body: answerText({ type: 'error' }) };

/**
 * The requests of a session in the order of their ids (XEP-0124 §14). A request that comes too early waits for those before it. The last
 * answers are kept, so that a client that has lost one gets the same bytes again.
 */
export class RequestWindow<Content> {
  readonly #size: number;
  readonly #early = new Map<number, Pending<Content>>();
  /** Oldest first. */
  readonly #open: Pending<Content>[] = [];
  readonly #answers = new Map<number, BoshAnswer>();
  #last: number;

  /** `size` is the number of requests that a client may make at a time, `first` the id of its first one. */
  constructor(size: number, first: number) {
    this.#size = size;
    this.#last = first - 1;
  }

  /** The highest id up to which all requests have come. */
  get last(): number {
    return this.#last;
  }

  /** The requests that wait for an answer, oldest first. */
  get open(): readonly Pick<Pending<Content>, 'rid' | 'exchange' | 'sinceMs'>[] {
    return this.#open;
  }

  /**
   * Takes a request. Returns the contents whose turn has come, which are none if the request is early or came before; undefined if its id
   * is not in the window. `more` requests than usual may be open: one that pauses or ends the session is always possible.
   */
  take(rid: number, content: Content, exchange: Exchange, nowMs: number, more = 0): Content[] | undefined {
    const answer = this.#answers.get(rid);
    if (answer) {
      exchange.answer(answer);
      return [];
    }
    const repeated = this.#early.get(rid) ?? this.#open.find((pending) => pending.rid === rid);
    if (repeated) {
      if (!repeated.exchange.lost) repeated.exchange.answer(repeatedElsewhere);
      repeated.exchange = exchange;
      return [];
    }
    if (rid <= this.#last || rid > this.#last + this.#size + more) return undefined;
    this.#early.set(rid, { rid, content, exchange, sinceMs: nowMs });
    return this.#takeTurns();
  }

  /** Answers the oldest open request, and keeps the answer. */
  answer(answer: BoshAnswer): void {
    const oldest = this.#open.shift();
    if (!oldest) throw new Error('no request is open');
    this.#answers.set(oldest.rid, answer);
    this.#answers.delete(oldest.rid - this.#size);
    oldest.exchange.answer(answer);
  }

  /** The client has all answers up to this one. */
  acknowledge(rid: number): void {
    for (const kept of this.#answers.keys()) if (kept <= rid) this.#answers.delete(kept);
  }

  /** Answers every request, in order or not. */
  close(answer: BoshAnswer): void {
    const all = [...this.#open.splice(0), ...this.#early.values()];
    this.#early.clear();
    for (const { exchange } of all) exchange.answer(answer);
  }

  #takeTurns(): Content[] {
    const turns: Content[] = [];
    for (;;) {
      const next = this.#early.get(this.#last + 1);
      if (!next) return turns;
      this.#last += 1;
      this.#early.delete(this.#last);
      this.#open.push(next);
      turns.push(next.content);
    }
  }
}
