import type { Jid } from '../protocol/jid.ts';
import { randomId } from '../protocol/random-id.ts';
import { Stanza } from '../protocol/stanza.ts';
import type { Clock, Timer } from '../support/clock.ts';
import type { Element } from '../xml/element.ts';

interface Pending {
  readonly to: string;
  readonly timer: Timer;
  readonly settle: (answer?: Stanza) => void;
}

/** The iq requests that the server itself makes, matched to their answers by id and sender (RFC 6120 §8.2.3). */
export class OutgoingRequests {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Makes a request and hands it to `send`; resolves with the answer, an error too: both prove that it was read. Nothing means none in time. */
  ask(
    from: Jid,
    to: Jid,
    payload: Element,
    timeoutMs: number,
    send: (request: Stanza) => void,
  ): Promise<Stanza | undefined> {
    const id = randomId();
    return new Promise((resolve) => {
      const settle = (answer?: Stanza) => {
        this.#pending.delete(id);
        resolve(answer);
      };
      const timer = this.#clock.after(timeoutMs, () => settle());
      this.#pending.set(id, { to: to.toString(), timer, settle });
      send(Stanza.iq({ type: 'get', id, from, to }, payload));
    });
  }

  /** Takes an answer; false for one that nobody waits for, or that is from somebody else than was asked. */
  settle(answer: Stanza, from: Jid): boolean {
    const pending = answer.id === undefined ? undefined : this.#pending.get(answer.id);
    if (!pending || pending.to !== from.toString()) return false;
    pending.timer.cancel();
    pending.settle(answer);
    return true;
  }
}
