import type { Stanza } from '../protocol/stanza.ts';
import type { Account } from './account.ts';
import type { Screen } from './extension.ts';

/** All screens as one: the first that objects decides. */
export class Screens {
  readonly #screens: Screen[] = [];

  /** Puts up more screens, behind those that stand. */
  add(screens: readonly Screen[]): void {
    this.#screens.push(...screens);
  }

  /** Throws the error for a client whose own account does not let the stanza out. */
  checkOutbound(stanza: Stanza, sender: Account): void {
    for (const screen of this.#screens) {
      const error = screen.outbound?.(stanza, sender);
      if (error) throw error;
    }
  }

  /** Whether the account lets a stanza of its own out. */
  passesOutbound(stanza: Stanza, sender: Account): boolean {
    return this.#screens.every((screen) => !screen.outbound?.(stanza, sender));
  }

  /** Whether the account wants nothing to do with the stanza. */
  refusesInbound(stanza: Stanza, recipient: Account): boolean {
    return this.#screens.some((screen) => screen.inbound?.(stanza, recipient) === 'refuse');
  }
}
