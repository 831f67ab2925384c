import { unwrapCarbon } from '../../protocol/carbon.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { OutgoingFilter } from '../../routing/session.ts';
import { storabilityOf } from '../../routing/storability.ts';

/** Beyond this many a phone is woken rather than the server filled. */
const maxWaiting = 500;
/** Bytes of what they say, for the same. */
const maxWaitingBytes = 512 * 1024;

/**
 * Holds presence and chat states back while the client is inactive (XEP-0352 §3.2): only the latest of each sender. The same applies to
 * carbons of chat states, for each contact and direction. Anything else is worth waking for, and brings along what waited, in order.
 */
export class InactiveFilter implements OutgoingFilter {
  readonly #waiting = new Map<string, Stanza>();
  #bytes = 0;

  admit(stanza: Stanza): readonly Stanza[] {
    const key = keyOf(stanza);
    if (key === undefined) return [...this.release(), stanza];
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

/** A later stanza with the same key replaces one that waits; undefined if the stanza cannot wait. */
function keyOf(stanza: Stanza): string | undefined {
  switch (stanza.kind) {
    case 'presence':
      return stanza.type === undefined || stanza.type === 'unavailable' ? `presence ${stanza.from}` : undefined;
    case 'message':
      return keyOfMessage(stanza);
    case 'iq':
      return undefined;
  }
}

/** All carbons come from the same address, so the contact is the one in the message that a carbon carries. */
function keyOfMessage(stanza: Stanza): string | undefined {
  const { direction = 'direct', message = stanza } = unwrapCarbon(stanza) ?? {};
  if (message.type === 'error' || storabilityOf(message) !== 'forget') return undefined;
  return `message ${direction} ${direction === 'sent' ? message.to : message.from}`;
}
