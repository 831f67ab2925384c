import type { Stanza } from '../../protocol/stanza.ts';
import type { OutgoingFilter } from '../../routing/session.ts';
import { urgencyOf } from './urgency.ts';

/** The number of waiting stanzas above which all of them are sent, to bound the memory of the server. */
const maxWaiting = 500;
/** The same, in bytes of content. */
const maxWaitingBytes = 512 * 1024;

/**
 * Keeps stanzas back that an inactive client need not have now (XEP-0352 §3.2). The first urgent stanza is sent after all of them. Stanzas
 * keep their order; one that takes the place of an earlier one goes last.
 */
export class InactiveFilter implements OutgoingFilter {
  /** By what can replace them; those that nothing replaces stand for themselves. */
  readonly #waiting = new Map<string | Stanza, Stanza>();
  #bytes = 0;

  admit(stanza: Stanza): readonly Stanza[] {
    const urgency = urgencyOf(stanza);
    if (urgency === 'now') return [...this.release(), stanza];
    const key = urgency === 'later' ? stanza : urgency.replacedBy;
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
