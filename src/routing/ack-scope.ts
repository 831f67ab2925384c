import type { Jid } from '../protocol/jid.ts';

/** Who has put a stanza on the road, and whether word is due when everything the stanza caused is durable. */
export interface AckScope {
  /** Whether an acknowledgment is due (XEP-0198 §4). */
  readonly needsAck: boolean;
  /** When the stanza was on the road first, if this is not the first time. */
  readonly sentAtMs?: number | undefined;
  /** Counts `work` as part of the stanza that is being taken: the acknowledgment waits for it, and never comes if it fails. */
  ackAfter(work: Promise<unknown>): void;
  /** Whether the stanza has a place on the disk already, where it stays if what is awaited fails. */
  readonly kept?: boolean;
}

/** An origin that is no client: it collects what a stanza has caused. */
export class PendingWork implements AckScope {
  readonly needsAck = true;
  readonly sentAtMs: number | undefined;
  readonly kept: boolean;
  #works: Promise<unknown>[] = [];

  constructor(sentAtMs?: number, kept = false) {
    this.sentAtMs = sentAtMs;
    this.kept = kept;
  }

  ackAfter(work: Promise<unknown>): void {
    this.#works.push(work);
    // Whoever waits hears of it; nobody may be waiting yet.
    work.catch(() => undefined);
  }

  /** Resolves when all of it is durable, also what that has caused in turn; rejects if some of it has failed and nobody was told. */
  async settled(): Promise<void> {
    while (this.#works.length > 0) await Promise.all(this.#works.splice(0));
  }
}

/** How a stanza has come onto the road, if no client has just sent it. */
export interface RouteOptions {
  readonly origin?: AckScope | undefined;
  /** The addresses that have forwarded it, the first one first. */
  readonly forwardedBy?: readonly Jid[];
  /** The operator has sent it, in whosever name. */
  readonly byOperator?: boolean;
}
