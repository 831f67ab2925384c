import type { Stanza } from '../protocol/stanza.ts';
import type { Account } from './account.ts';
import type { ExtensionHooks } from './extension-hooks.ts';

/** Applies the filters of all extensions. The first one that refuses a stanza decides. Loops, because every stanza comes here. */
export class StanzaFilters {
  readonly #hooks: Pick<ExtensionHooks, 'outboundFilters' | 'inboundFilters'>;

  constructor(hooks: Pick<ExtensionHooks, 'outboundFilters' | 'inboundFilters'>) {
    this.#hooks = hooks;
  }

  /** Throws the error of the first filter that does not let the sender's account send the stanza. */
  checkOutbound(stanza: Stanza, sender: Account): void {
    for (const refusal of this.#hooks.outboundFilters) {
      const error = refusal(stanza, sender);
      if (error) throw error;
    }
  }

  /** Whether the sender's account may send the stanza. */
  passesOutbound(stanza: Stanza, sender: Account): boolean {
    return this.#hooks.outboundFilters.every((refusal) => !refusal(stanza, sender));
  }

  /** Whether the recipient's account refuses the stanza. */
  refusesInbound(stanza: Stanza, recipient: Account): boolean {
    for (const check of this.#hooks.inboundFilters) if (check(stanza, recipient) === 'refuse') return true;
    return false;
  }
}
