import type { Stanza } from '../protocol/stanza.ts';
import type { Account } from './account.ts';
import type { StanzaFilter } from './extension.ts';

/** All screens as one: the first that objects decides. */
export class StanzaFilters {
  readonly #filters: StanzaFilter[] = [];

  /** Puts up more screens, behind those that stand. */
  add(filters: readonly StanzaFilter[]): void {
    this.#filters.push(...filters);
  }

  /** Throws the error for a client whose own account does not let the stanza out. */
  checkOutbound(stanza: Stanza, sender: Account): void {
    for (const screen of this.#filters) {
      const error = screen.outbound?.(stanza, sender);
      if (error) throw error;
    }
  }

  /** Whether the account lets a stanza of its own out. */
  passesOutbound(stanza: Stanza, sender: Account): boolean {
    return this.#filters.every((screen) => !screen.outbound?.(stanza, sender));
  }

  /** Whether the account wants nothing to do with the stanza. */
  refusesInbound(stanza: Stanza, recipient: Account): boolean {
    return this.#filters.some((screen) => screen.inbound?.(stanza, recipient) === 'refuse');
  }
}
