/** Collects the work that one stanza causes. The stanza is acknowledged when all of it is durable (XEP-0198 §4). */
export interface AckScope {
  /** Whether the sender waits for an acknowledgment. */
  readonly needsAck: boolean;
  /** Makes the acknowledgment wait for `work`. If `work` rejects, the stanza is never acknowledged. */
  ackAfter(work: Promise<unknown>): void;
}

/** The work of a stanza whose sender is not connected, or is the server. */
export class PendingWork implements AckScope {
  readonly needsAck = true;
  #works: Promise<unknown>[] = [];

  ackAfter(work: Promise<unknown>): void {
    this.#works.push(work);
    // settled() reports the failure; it may not have been called yet.
    work.catch(() => undefined);
  }

  /** Resolves when all work is durable, including work added meanwhile. Rejects if some of it failed. */
  async settled(): Promise<void> {
    while (this.#works.length > 0) await Promise.all(this.#works.splice(0));
  }
}
