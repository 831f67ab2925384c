import type { Jid } from '../protocol/jid.ts';

/** The default number of addresses. */
const defaultLimit = 1000;

/** A bounded set of bare addresses. When it is full, the oldest one is dropped. */
export class RecentAddresses {
  readonly #limit: number;
  /** Absent until the first address: most sessions have none. */
  #texts: Set<string> | undefined;
  /** An address that is in the set: most stanzas of a session go where the last one went. */
  #latest: Jid | undefined;

  constructor(limit = defaultLimit) {
    this.#limit = limit;
  }

  /** Whether the bare address of `jid` is in the set. */
  has(jid: Jid): boolean {
    if (jid === this.#latest) return true;
    if (!this.#texts?.has(jid.bare().toString())) return false;
    this.#latest = jid;
    return true;
  }

  /** Adds the bare address of `jid`. */
  add(jid: Jid): void {
    this.#texts ??= new Set();
    this.#texts.add(jid.bare().toString());
    if (this.#texts.size <= this.#limit) return;
    this.#latest = undefined;
    for (const oldest of this.#texts) return void this.#texts.delete(oldest);
  }

  /** Removes the bare address of `jid`. For a domain, removes every address at it. */
  delete(jid: Jid): void {
    const text = jid.bare().toString();
    this.#latest = undefined;
    this.#texts?.delete(text);
    if (jid.local !== '' || !this.#texts) return;
    for (const one of this.#texts) if (one.endsWith(`@${text}`)) this.#texts.delete(one);
  }
}
