import type { Stanza } from '../protocol/stanza.ts';
import type { Account } from './account.ts';
import type { StanzaFilter } from './extension.ts';

/** Applies the filters of all extensions. The first one that refuses a stanza decides. */
export class StanzaFilters {
  readonly #hooks: { readonly filters: readonly StanzaFilter[] };

  constructor(hooks: { readonly filters: readonly StanzaFilter[] }) {
    this.#hooks = hooks;
  }

  /** Throws the error of the first filter that does not let the sender's account send the stanza. */
  checkOutbound(stanza: Stanza, sender: Account): void {
    for (const filter of this.#hooks.filters) {
      const error = filter.outbound?.(stanza, sender);
      if (error) throw error;
    }
  }

  /** Whether the sender's account may send the stanza. */
  passesOutbound(stanza: Stanza, sender: Account): boolean {
    return this.#hooks.filters.every((filter) => !filter.outbound?.(stanza, sender));
  }

  /** Whether the recipient's account refuses the stanza. */
  refusesInbound(stanza: Stanza, recipient: Account): boolean {
    return this.#hooks.filters.some((filter) => filter.inbound?.(stanza, recipient) === 'refuse');
  }
}
