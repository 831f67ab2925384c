/** A stanza as it was written, with its id. */
interface SentStanza {
  readonly id: string;
  readonly text: string;
  /** Whether a new session sends it again if the server has not handled it. */
  readonly isRepeated: boolean;
}

/** What an outbox keeps of a lost connection. */
export interface SavedOutbox {
  readonly acknowledged: number;
  readonly unacknowledged: readonly SentStanza[];
}

/** The stanzas that the server may not have handled yet (XEP-0198 §4). */
export class Outbox {
  #acknowledged: number;
  readonly #unacknowledged: SentStanza[];

  constructor({ acknowledged, unacknowledged }: SavedOutbox = { acknowledged: 0, unacknowledged: [] }) {
    this.#acknowledged = acknowledged;
    this.#unacknowledged = [...unacknowledged];
  }

  /** The stanzas to send again after a resumption. */
  get unacknowledged(): readonly SentStanza[] {
    return this.#unacknowledged;
  }

  add(stanza: SentStanza): void {
    this.#unacknowledged.push(stanza);
  }

  /**
   * Takes out what the server has handled: `h` stanzas since the beginning of the session, modulo 2^32. A count that cannot be right
   * changes nothing.
   */
  acknowledge(h: number): readonly SentStanza[] {
    const count = (h - this.#acknowledged) >>> 0;
    if (count > this.#unacknowledged.length) return [];
    this.#acknowledged = h >>> 0;
    return this.#unacknowledged.splice(0, count);
  }

  /** Begins a new session, and takes out what was not handled in the old one. */
  restart(): readonly SentStanza[] {
    this.#acknowledged = 0;
    return this.#unacknowledged.splice(0);
  }

  save(): SavedOutbox {
    return { acknowledged: this.#acknowledged, unacknowledged: [...this.#unacknowledged] };
  }
}
