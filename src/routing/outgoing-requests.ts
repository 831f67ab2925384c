import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Clock, Timer } from '../support/clock.ts';
import type { Element } from '../xml/element.ts';

interface Pending {
  readonly to: string;
  readonly timer: Timer;
  readonly settle: (answer?: Stanza) => void;
}

/** Ends the tag of a node in an id; random ids do not contain it. */
const tagEnd = '.';

/** The iq requests that the server itself makes, matched to their answers by id and sender (RFC 6120 §8.2.3). */
export class OutgoingRequests {
  readonly #clock: Clock;
  readonly #idPrefix: string;
  readonly #pending = new Map<string, Pending>();

  /** With a `nodeTag` the ids say which of several nodes has asked: an answer may reach another one. */
  constructor(clock: Clock, nodeTag?: string) {
    this.#clock = clock;
    this.#idPrefix = nodeTag === undefined ? '' : `${nodeTag}${tagEnd}`;
  }

  /**
   * Makes a request and hands it to `send`. Resolves with the answer, be it a result or an error: both prove that the request was read.
   * Resolves with nothing if no answer comes in time.
   */
  ask(
    from: Jid,
    to: Jid,
    payload: Element,
    timeoutMs: number,
    send: (request: Stanza) => void,
    type: 'get' | 'set' = 'get',
  ): Promise<Stanza | undefined> {
    const id = `${this.#idPrefix}${randomId()}`;
    return new Promise((resolve) => {
      const settle = (answer?: Stanza) => {
        this.#pending.delete(id);
        resolve(answer);
      };
      const timer = this.#clock.after(timeoutMs, () => settle());
      this.#pending.set(id, { to: to.toString(), timer, settle });
      send(Stanza.iq({ type, id, from, to }, payload));
    });
  }

  /** Makes a request. Resolves with the error that answers it, which is `remote-server-timeout` if no answer comes in time. */
  async refusal(...request: Parameters<OutgoingRequests['ask']>): Promise<StanzaError | undefined> {
    const answer = await this.ask(...request);
    if (!answer) return StanzaError.remoteServerTimeout();
    const error = answer.type === 'error' ? answer.payload.find('error', ns.client) : undefined;
    return error && StanzaError.fromElement(answer.payload.element(error));
  }

  /** The tag of the node that made a request with this id; nothing if it has none. */
  static nodeTagOf(id: string): string | undefined {
    const end = id.indexOf(tagEnd);
    return end > 0 ? id.slice(0, end) : undefined;
  }

  /** Takes an answer. False if nothing waits for it, or if its sender is not the one that was asked. */
  settle(answer: Stanza, from: Jid): boolean {
    const pending = answer.id === undefined ? undefined : this.#pending.get(answer.id);
    if (!pending || pending.to !== from.toString()) return false;
    pending.timer.cancel();
    pending.settle(answer);
    return true;
  }
}
