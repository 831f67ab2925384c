import type { Stanza } from '../protocol/stanza.ts';

/** More stanzas than this are not held: the session is as good as gone. */
const maxStanzas = 10_000;
/** The same for the bytes of their content. */
const maxBytes = 8 * 1024 * 1024;

/**
 * Stanzas that a session holds back, in order, while others go first. A session is on hold from the start, because the client must first
 * be told that its resource is bound, and each time while stored messages are sent.
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

  /** Begins a hold; it lasts until as many calls of {@link release}. */
  hold(): void {
    this.#holds += 1;
    this.#stanzas ??= [];
  }

  /** Holds a stanza back. Answers false if more is held now than may be. */
  push(stanza: Stanza): boolean {
    this.#stanzas?.push(stanza);
    this.#bytes += stanza.payload.bytes.length;
    return this.stanzas.length <= maxStanzas && this.#bytes <= maxBytes;
  }

  /** Puts stanzas before those that are held. */
  putFirst(stanzas: readonly Stanza[]): void {
    this.#stanzas?.unshift(...stanzas);
  }

  /** Ends one hold. With the last one all stanzas go to `send`, and so do, behind them, those that are pushed meanwhile. */
  release(send: (stanza: Stanza) => void): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    const held = this.#stanzas ?? [];
    for (let stanza = held.shift(); stanza; stanza = held.shift()) send(stanza);
    this.#stanzas = undefined;
    this.#bytes = 0;
  }

  /** The session has ended; answers what was held. */
  end(): readonly Stanza[] {
    const held = this.#stanzas?.splice(0) ?? [];
    this.#stanzas = undefined;
    return held;
  }
}
