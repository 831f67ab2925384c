import type { Stanza } from '../protocol/stanza.ts';
import type { Account } from './account.ts';
import type { StanzaFilter } from './extension.ts';

/** All filters as one: the first that objects decides. */
export class StanzaFilters {
  readonly #hooks: { readonly filters: readonly StanzaFilter[] };

  constructor(hooks: { readonly filters: readonly StanzaFilter[] }) {
    this.#hooks = hooks;
  }

  /** Throws the error for a client whose own account does not let the stanza out. */
  checkOutbound(stanza: Stanza, sender: Account): void {
    for (const filter of this.#hooks.filters) {
      const error = filter.outbound?.(stanza, sender);
      if (error) throw error;
    }
  }

  /** Whether the account lets a stanza of its own out. */
  passesOutbound(stanza: Stanza, sender: Account): boolean {
    return this.#hooks.filters.every((filter) => !filter.outbound?.(stanza, sender));
  }

  /** Whether the account wants nothing to do with the stanza. */
  refusesInbound(stanza: Stanza, recipient: Account): boolean {
    return this.#hooks.filters.some((filter) => filter.inbound?.(stanza, recipient) === 'refuse');
  }
}
