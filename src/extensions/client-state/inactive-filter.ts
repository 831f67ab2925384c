import { unwrapCarbon } from '../../protocol/carbon.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { OutgoingFilter } from '../../routing/session.ts';
import { storabilityOf } from '../../routing/storability.ts';

/** The number of waiting stanzas above which all of them are sent, to bound the memory of the server. */
const maxWaiting = 500;
/** The same, in bytes of content. */
const maxWaitingBytes = 512 * 1024;

/**
 * Keeps presence and chat states back while the client is inactive (XEP-0352 §3.2), and of each sender only the latest. The same applies to
 * carbons of chat states, for each contact and direction. Any other stanza is sent at once, after the waiting ones, in order.
 */
export class InactiveFilter implements OutgoingFilter {
  readonly #waiting = new Map<string, Stanza>();
  #bytes = 0;

  admit(stanza: Stanza): readonly Stanza[] {
    const key = keyOf(stanza);
    if (key === undefined) return [...this.release(), stanza];
    // The latest goes last, to keep the order among senders.
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
