import type { Jid } from '../protocol/jid.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { type Service, serviceOf } from './service.ts';

/** Addresses of the server itself at which something waits for messages, such as the answers to one that it has sent. */
export class Mailboxes {
  readonly #open = new Map<string, Service>();

  /** Takes what comes to an address until it is closed; false if something waits there already. */
  open(address: Jid, take: (message: Stanza) => void): boolean {
    const key = address.toString();
    if (this.#open.has(key)) return false;
    const takeMessage = (stanza: Stanza) => {
      if (stanza.kind === 'message') take(stanza);
    };
    this.#open.set(key, serviceOf(address.domain, false, takeMessage));
    return true;
  }

  close(address: Jid): void {
    this.#open.delete(address.toString());
  }

  /** What waits at an address. */
  at(address: Jid): Service | undefined {
    return this.#open.size === 0 ? undefined : this.#open.get(address.toString());
  }
}
