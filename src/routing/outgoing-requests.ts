import type { Jid } from '../protocol/jid.ts';
import { randomId } from '../protocol/random-id.ts';
import { Stanza } from '../protocol/stanza.ts';
import type { Clock, Timer } from '../support/clock.ts';
import type { Element } from '../xml/element.ts';

/** How an iq of the server's own ended. */
export type Outcome = 'answered' | 'timeout';

interface Pending {
  readonly to: string;
  readonly timer: Timer;
  readonly settle: (outcome: Outcome) => void;
}

/** The iq requests that the server itself makes of clients, matched to their answers by id and sender (RFC 6120 §8.2.3). */
export class OutgoingRequests {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes a request and hands it to `send`; resolves at any answer, an error included: both prove that the client has read it. */
  ask(from: Jid, to: Jid, payload: Element, timeoutMs: number, send: (request: Stanza) => void): Promise<Outcome> {
    const id = randomId();
    return new Promise((resolve) => {
      const settle = (outcome: Outcome) => {
        this.#pending.delete(id);
        resolve(outcome);
      };
      const timer = this.#clock.after(timeoutMs, () => settle('timeout'));
      this.#pending.set(id, { to: to.toString(), timer, settle });
      send(Stanza.iq({ type: 'get', id, from, to }, payload));
    });
  }

  /** Takes an answer; one that nobody waits for, or from somebody else than was asked, is ignored. */
  settle(answer: Stanza, from: Jid): void {
    const pending = answer.id === undefined ? undefined : this.#pending.get(answer.id);
    if (!pending || pending.to !== from.toString()) return;
    pending.timer.cancel();
    pending.settle('answered');
  }
}
