import type { Stanza } from '../../protocol/stanza.ts';
import type { OutgoingFilter } from '../../routing/session.ts';
import { storabilityOf } from '../../routing/storability.ts';

/** Beyond this many a phone is woken rather than the server filled. */
const maxWaiting = 500;
/** Bytes of what they say, for the same. */
const maxWaitingBytes = 512 * 1024;

/**
 * Holds presence and chat states back while the client is inactive (XEP-0352 §3.2): of each sender only the latest.
 * Anything else is worth waking for, and brings along what waited, in order.
 */
export class InactiveFilter implements OutgoingFilter {
  readonly #waiting = new Map<string, Stanza>();
  #bytes = 0;

  admit(stanza: Stanza): readonly Stanza[] {
    if (!canWait(stanza)) return [...this.release(), stanza];
    const key = `${stanza.kind} ${stanza.from}`;
    // The latest goes last, so that the order among senders stays true.
    this.#bytes += sizeOf(stanza) - sizeOf(this.#waiting.get(key));
    this.#waiting.delete(key);
    this.#waiting.set(key, stanza);
    return this.#waiting.size > maxWaiting || this.#bytes > maxWaitingBytes ? this.release() : [];
  }

  release(): readonly Stanza[] {
    const stanzas = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#bytes = 0;
    return stanzas;
  }
}

function sizeOf(stanza: Stanza | undefined): number {
  return stanza?.payload.bytes.length ?? 0;
}

function canWait(stanza: Stanza): boolean {
  switch (stanza.kind) {
    case 'presence':
      return stanza.type === undefined || stanza.type === 'unavailable';
    case 'message':
      return stanza.type !== 'error' && storabilityOf(stanza) === 'forget';
    case 'iq':
      return false;
  }
}
