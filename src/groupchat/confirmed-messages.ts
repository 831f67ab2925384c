import type { Jid } from '../protocol/jid.ts';
import type { ArchivedForRecipients } from '../routing/session.ts';

/** How far each client in a room has confirmed the archived messages that it was sent. */
export class ConfirmedMessages {
  readonly #lastIds = new Map<string, number>();
  readonly #unwritten = new Set<string>();
  readonly #changed: () => void;

  /** `changed` is called when there is something to write, and not again until it was taken. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The id of the last message that a client has confirmed; undefined for a client that is not in the room. */
  lastOf(client: Jid): number | undefined {
    return this.#lastIds.get(client.toString());
  }

  /** A client is in the room, and has everything up to a message. */
  begin(client: Jid, lastId: number): void {
    this.#lastIds.set(client.toString(), lastId);
  }

  /** A client has left the room. */
  end(client: Jid): void {
    this.#lastIds.delete(client.toString());
    this.#unwritten.delete(client.toString());
  }

  /** With this, a session can say that its client has a message. */
  archived(id: number): ArchivedForRecipients {
    return { confirmed: (client) => this.#confirm(client.toString(), id) };
  }

  /** The confirmations that are not written yet; they count as written from now on. */
  takeUnwritten(): { readonly jid: string; readonly seenId: number }[] {
    const unwritten = [...this.#unwritten].flatMap((jid) => {
      const seenId = this.#lastIds.get(jid);
      return seenId === undefined ? [] : [{ jid, seenId }];
    });
    this.#unwritten.clear();
    return unwritten;
  }

  #confirm(client: string, id: number): void {
    const lastId = this.#lastIds.get(client);
    if (lastId === undefined || lastId >= id) return;
    this.#lastIds.set(client, id);
    this.#unwritten.add(client);
    if (this.#unwritten.size === 1) this.#changed();
  }
}
