import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Clock } from '../../support/clock.ts';
import type { Dialler } from './dial.ts';
import { DialFailure } from './dial-failure.ts';
import type { KeyQuestion } from './dialback.ts';
import type { DialbackAnswer } from './dialback-words.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { PeerStream } from './peer-stream.ts';

/** What verifying keys needs from the rest of the house. */
export interface KeyVerifierParts {
  readonly dialler: Pick<Dialler, 'dial'>;
  /** The stream of ours to the remote domain, if there is one. */
  readonly streamTo: (pair: DomainPair) => PeerStream | undefined;
  readonly clock: Pick<Clock, 'after'>;
  /** From the question to its answer. */
  readonly timeoutMs: () => number;
}

/** Questions at the same time: each may be a connection that a stranger has us open. */
const maxUnderWay = 200;

/** Shows dialback keys to the servers of the domains they speak for (XEP-0220 §2.1.2). */
export class KeyVerifier {
  readonly #parts: KeyVerifierParts;
  #underWay = 0;

  constructor(parts: KeyVerifierParts) {
    this.#parts = parts;
  }

  /** Asks on any stream but the one the key has come by (XEP-0288 §2.2). Never rejects. */
  async verify(question: KeyQuestion, asking: object): Promise<DialbackAnswer> {
    if (this.#underWay >= maxUnderWay) return StanzaError.resourceConstraint();
    this.#underWay += 1;
    const abort = new AbortController();
    const timer = this.#parts.clock.after(this.#parts.timeoutMs(), () =>
      abort.abort(DialFailure.unreachable('no answer in time')),
    );
    try {
      return await this.#ask(question, asking, abort.signal);
    } catch (error) {
      return error instanceof DialFailure ? error.error : StanzaError.remoteServerNotFound();
    } finally {
      timer.cancel();
      this.#underWay -= 1;
    }
  }

  async #ask(question: KeyQuestion, asking: object, signal: AbortSignal): Promise<DialbackAnswer> {
    const open = this.#parts.streamTo(question);
    if (open && open !== asking) return open.dialback.verify(question, signal);
    const { stream } = await this.#parts.dialler.dial(question, 'verify', signal);
    const answer = await stream.dialback.verify(question, signal);
    stream.close();
    return answer;
  }
}
