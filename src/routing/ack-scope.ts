/** Counts the work that one stanza causes; the stanza is acknowledged when all of it is durable (XEP-0198 §4). */
export interface AckScope {
  /** Whether an acknowledgment is due. */
  readonly needsAck: boolean;
  /** The acknowledgment waits for `work`, and never comes if `work` fails. */
  ackAfter(work: Promise<unknown>): void;
}

/** The work of a stanza that no client waits for. */
export class PendingWork implements AckScope {
  readonly needsAck = true;
  #works: Promise<unknown>[] = [];

  ackAfter(work: Promise<unknown>): void {
    this.#works.push(work);
    // settled() reports the failure; nobody may have called it yet.
    work.catch(() => undefined);
  }

  /** Resolves when all work is durable, including work added meanwhile; rejects if some failed and nobody was told. */
  async settled(): Promise<void> {
    while (this.#works.length > 0) await Promise.all(this.#works.splice(0));
  }
}
