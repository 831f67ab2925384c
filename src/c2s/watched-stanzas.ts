import type { Stanza } from '../protocol/stanza.ts';
import { PendingWork } from '../routing/ack-scope.ts';
import type { Watch } from '../routing/session.ts';

/** The unwritten stanzas of one session whose outcome is watched. Usually empty. */
export class WatchedStanzas {
  #watches: Map<Stanza, Watch> | undefined;

  get size(): number {
    return this.#watches?.size ?? 0;
  }

  has(stanza: Stanza): boolean {
    return this.#watches?.has(stanza) ?? false;
  }

  /** The stanzas, those watched first before others. */
  stanzas(): Stanza[] {
    return [...(this.#watches?.keys() ?? [])];
  }

  add(stanza: Stanza, watch: Watch): void {
    this.#watches ??= new Map();
    this.#watches.set(stanza, watch);
  }

  /** The stanza has been written, or never will be. Ends its watch, if it has one. */
  settle(stanza: Stanza, delivered: boolean): void {
    const watch = this.#watches?.get(stanza);
    if (!watch) return;
    this.#watches?.delete(stanza);
    watch.settled(delivered);
  }

  /**
   * Asks whether a delayed stanza may still be written. If not, ends its watch and returns the alternative outcome, settled when
   * that is durable.
   */
  refused(stanza: Stanza): Promise<void> | undefined {
    const instead = new PendingWork();
    if (this.#watches?.get(stanza)?.mayLeave(instead) !== false) return undefined;
    this.#watches.delete(stanza);
    return instead.settled();
  }

  /** The session has ended: the stanzas are routed again, and judged anew. */
  clear(): void {
    this.#watches = undefined;
  }
}
