import type { Stanza } from '../protocol/stanza.ts';

/** The limit on held stanzas. Beyond it the session is closed. */
const maxStanzas = 10_000;
/** The same for the bytes of their content. */
const maxBytes = 8 * 1024 * 1024;

/**
 * Stanzas that a session holds back, in order, while others go first. A session is on hold from the start, until the client has been told
 * that its resource is bound, and whenever stored messages are being sent.
 */
export class HeldStanzas {
  #stanzas: Stanza[] | undefined = [];
  #bytes = 0;
  #holds = 1;

  /** Whether the session is on hold. */
  get active(): boolean {
    return this.#stanzas !== undefined;
  }

  get stanzas(): readonly Stanza[] {
    return this.#stanzas ?? [];
  }

  /** Starts a hold. Each hold needs its own call of {@link release}. */
  hold(): void {
    this.#holds += 1;
    this.#stanzas ??= [];
  }

  /** Holds a stanza back. Returns false if the limits are exceeded. */
  push(stanza: Stanza): boolean {
    this.#stanzas?.push(stanza);
    this.#bytes += stanza.payload.bytes.length;
    return this.stanzas.length <= maxStanzas && this.#bytes <= maxBytes;
  }

  /** Puts stanzas before those that are held. */
  putFirst(stanzas: readonly Stanza[]): void {
    this.#stanzas?.unshift(...stanzas);
  }

  /** Ends one hold. The last one passes all stanzas to `send`, followed by those pushed meanwhile. */
  release(send: (stanza: Stanza) => void): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    const held = this.#stanzas ?? [];
    for (let stanza = held.shift(); stanza; stanza = held.shift()) send(stanza);
    this.#stanzas = undefined;
    this.#bytes = 0;
  }

  /** The session has ended; returns the held stanzas. */
  end(): readonly Stanza[] {
    const held = this.#stanzas?.splice(0) ?? [];
    this.#stanzas = undefined;
    return held;
  }
}
