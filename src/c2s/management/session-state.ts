import { Jid } from '../../protocol/jid.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { Interest, SessionPresence } from '../../routing/session.ts';
import { parseFrame } from '../../xml/parse-frame.ts';

/** What of a session outlives a restart of the server. */
interface Speaker {
  readonly presence: SessionPresence;
  readonly interests: Set<Interest>;
}

interface Written {
  readonly presence?: string;
  readonly priority?: number;
  readonly interests: readonly Interest[];
  readonly directed: readonly string[];
}

/** What a session has told the world, as text for the disk. */
export class SessionState {
  readonly #speaker: Speaker;
  #available: Stanza | undefined;
  #interests = 0;
  #directed = '';

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
  }

  /** The text. */
  text(): string {
    const { presence, interests } = this.#speaker;
    const written: Written = {
      ...(presence.available && { presence: presence.available.toString(), priority: presence.priority }),
      interests: [...interests],
      directed: [...presence.directed.keys()],
    };
    return JSON.stringify(written);
  }

  /** The text, unless nothing has changed since it was last asked for. */
  changedText(): string | undefined {
    const { presence, interests } = this.#speaker;
    const directed = presence.directed.size === 0 ? '' : [...presence.directed.keys()].join('\n');
    const same = presence.available === this.#available && interests.size === this.#interests;
    if (same && directed === this.#directed) return undefined;
    this.#available = presence.available;
    this.#interests = interests.size;
    this.#directed = directed;
    return this.text();
  }

  /** Gives a session what another had told the world before the restart. Throws if that cannot be read. */
  static restore(text: string, { presence, interests }: Speaker): void {
    const {
      presence: shown,
      priority = 0,
      interests: asked = [],
      directed = [],
    } = JSON.parse(text) as Partial<Written>;
    if (shown !== undefined) {
      presence.available = Stanza.fromFrame(parseFrame(Buffer.from(shown)));
      presence.priority = priority;
    }
    for (const interest of asked) interests.add(interest);
    for (const address of directed) presence.directed.set(address, Jid.parse(address));
  }
}
