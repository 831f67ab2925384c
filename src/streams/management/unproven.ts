import { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import type { OutgoingRequests } from '../../routing/outgoing-requests.ts';
import type { Session } from '../../routing/session.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import { xml } from '../../xml/element.ts';
import type { KeptCopies } from './kept-copies.ts';
import type { Sent } from './unacknowledged-queue.ts';

const answerTimeoutMs = 60_000;

/** What proving receipt without stream management needs. */
export interface UnprovenParts {
  readonly copies: KeptCopies;
  readonly requests: Pick<OutgoingRequests, 'ask'>;
  readonly clock: Clock;
  readonly limits: { readonly ackEveryStanzas: number; readonly ackAfterMs: number };
}

/**
 * What a session without stream management was sent in the name of somebody who is owed word: its client is pinged behind it now and
 * then, and the answer proves receipt.
 */
export class Unproven {
  readonly #session: Session;
  readonly #parts: UnprovenParts;
  #entries: Sent[] = [];
  #timer: Timer | undefined;
  #asking = false;

  constructor(session: Session, parts: UnprovenParts) {
    this.#session = session;
    this.#parts = parts;
  }

  /** Keeps a copy of a stanza that is about to be sent; resolves when a crash cannot take it away any more. */
  add(stanza: Stanza): Promise<void> {
    const { copies, clock } = this.#parts;
    const copy = copies.add(this.#session.account.key, undefined, stanza, undefined);
    this.#entries.push({ stanza, atMs: clock.nowMs(), storedElsewhere: false, copy });
    this.#askInTime();
    return copy.durable;
  }

  has(stanza: Stanza): boolean {
    return this.#entries.some((entry) => entry.stanza === stanza);
  }

  /** It is over; answers what the client may not have. */
  end(): readonly Sent[] {
    this.#timer?.cancel();
    return this.#entries.splice(0);
  }

  #askInTime(): void {
    if (this.#asking || this.#entries.length === 0) return;
    const { clock, limits } = this.#parts;
    const soon = this.#entries.length >= limits.ackEveryStanzas;
    if (soon) this.#timer?.cancel();
    if (soon || !this.#timer) this.#timer = clock.after(soon ? 0 : limits.ackAfterMs, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    this.#timer = undefined;
    this.#asking = true;
    const { length } = this.#entries;
    if (await this.#answers()) for (const { copy } of this.#entries.splice(0, length)) copy?.release();
    this.#asking = false;
    if (!this.#session.ended) this.#askInTime();
  }

  async #answers(): Promise<boolean> {
    const domain = Jid.from('', this.#session.jid.domain);
    // Not past a hold: the answer must prove what was sent before.
    const send = (request: Stanza) => this.#session.send(request);
    const ping = xml('ping', { xmlns: ns.ping });
    const { requests } = this.#parts;
    return (await requests.ask(domain, this.#session.jid, ping, answerTimeoutMs, send)) !== undefined;
  }
}
