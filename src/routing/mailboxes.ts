import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';

/** Receives a message that has come to a mailbox; false if it is not what the mailbox was opened for. */
type Take = (message: Stanza) => boolean;

/** Addresses at which the server itself expects messages, such as answers to one that it has sent. All other messages pass. */
export class Mailboxes {
  readonly #open = new Map<string, Take>();

  /** Opens a mailbox, until it is closed; false if there is one at this address. */
  open(address: Jid, take: Take): boolean {
    const key = address.toString();
    if (this.#open.has(key)) return false;
    this.#open.set(key, take);
    return true;
  }

  close(address: Jid): void {
    this.#open.delete(address.toString());
  }

  /** Whether an address has a mailbox. */
  has(address: Jid): boolean {
    return this.#open.size > 0 && this.#open.has(address.toString());
  }

  /** Gives a stanza to the mailbox at its address, if there is one; true if it was taken. */
  take(stanza: Stanza, to: Jid): boolean {
    if (this.#open.size === 0 || stanza.kind !== 'message') return false;
    return this.#open.get(to.toString())?.(stanza) ?? false;
  }
}
