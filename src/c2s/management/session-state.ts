import { Jid } from '../../protocol/jid.ts';
import { Stanza } from '../../protocol/stanza.ts';
import type { Interest } from '../../routing/interests.ts';
import type { Device, Session } from '../../routing/session.ts';
import { parseFrame } from '../../xml/parse-frame.ts';

/** The parts of a session that survive a restart of the server. */
type Persistent = Pick<Session, 'presence' | 'interests'> & { device?: Device | undefined };

/** The text on the disk, as JSON. */
interface StateDocument {
  readonly presence?: string;
  readonly priority?: number;
  /** The key of the device. */
  readonly device?: string;
  readonly interests: readonly Interest[];
  /** Addresses that were sent directed presence. */
  readonly directed: readonly string[];
}

/** The persistent part of one session as text. */
export class SessionState {
  readonly #session: Persistent;
  #available: Stanza | undefined;
  #interests = '';
  #directed = '';

  constructor(session: Persistent) {
    this.#session = session;
  }

  /** The text. */
  text(): string {
    const { presence, interests, device } = this.#session;
    const document: StateDocument = {
      ...(device && { device: device.key }),
      ...(presence.available && { presence: presence.available.toString(), priority: presence.priority }),
      interests: [...interests],
      directed: [...presence.directed.keys()],
    };
    return JSON.stringify(document);
  }

  /** The text if it has changed since the last call, otherwise undefined. */
  changedText(): string | undefined {
    const { presence, interests } = this.#session;
    const { available } = presence;
    const asked = [...interests].join('\n');
    const directed = presence.directed.size === 0 ? '' : [...presence.directed.keys()].join('\n');
    if (available === this.#available && asked === this.#interests && directed === this.#directed) return undefined;
    this.#available = available;
    this.#interests = asked;
    this.#directed = directed;
    return this.text();
  }

  /** Gives a session its state from before the restart. Throws if the text cannot be read. */
  static restore(text: string, session: Persistent): void {
    const { presence, interests } = session;
    const document = JSON.parse(text) as Partial<StateDocument>;
    if (document.device !== undefined) session.device = { key: document.device };
    if (document.presence !== undefined) {
      presence.available = Stanza.fromFrame(parseFrame(Buffer.from(document.presence)));
      presence.priority = document.priority ?? 0;
    }
    for (const interest of document.interests ?? []) interests.add(interest);
    for (const address of document.directed ?? []) presence.directed.set(address, Jid.parse(address));
  }
}
