import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';

/** Looks at a message that has come to a mailbox: whether it was for the one who waits there. */
type Take = (message: Stanza) => boolean;

/** Addresses at which the server itself waits for messages, such as the answers to one that it has sent. What else comes there goes on. */
export class Mailboxes {
  readonly #open = new Map<string, Take>();

  /** Waits at an address until it is closed; false if something waits there already. */
  open(address: Jid, take: Take): boolean {
    const key = address.toString();
    if (this.#open.has(key)) return false;
    this.#open.set(key, take);
    return true;
  }

  close(address: Jid): void {
    this.#open.delete(address.toString());
  }

  /** Whether something waits at an address. */
  has(address: Jid): boolean {
    return this.#open.size > 0 && this.#open.has(address.toString());
  }

  /** Whether a stanza has been taken by what waits at its address. */
  take(stanza: Stanza, to: Jid): boolean {
    if (this.#open.size === 0 || stanza.kind !== 'message') return false;
    return this.#open.get(to.toString())?.(stanza) ?? false;
  }
}
