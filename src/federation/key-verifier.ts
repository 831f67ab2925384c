import { StanzaError } from '../protocol/stanza-error.ts';
import type { Clock } from '../support/clock.ts';
import { networkOf } from '../support/network-of.ts';
import { Shares } from '../support/shares.ts';
import type { Dialler } from './dial.ts';
import { DialFailure } from './dial-failure.ts';
import type { DialbackStream, KeyQuestion } from './dialback.ts';
import type { DialbackAnswer } from './dialback-words.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { FederationShares } from './federation-options.ts';
import type { PeerStream } from './peer-stream.ts';

/** The stream that a key has come by. */
type Asking = Pick<DialbackStream, 'remoteAddress'>;

/** Dependencies of verifying keys. */
export interface KeyVerifierDeps {
  readonly dialler: Pick<Dialler, 'dial'>;
  /** The stream of ours to the remote domain, if there is one. */
  readonly streamTo: (pair: DomainPair) => PeerStream | undefined;
  readonly clock: Pick<Clock, 'after'>;
  /** From the question to its answer. */
  readonly timeoutMs: () => number;
  readonly shares: () => Pick<FederationShares, 'dialbackQuestions' | 'dialbackQuestionsPerIp'>;
}

/** Shows dialback keys to the servers of the domains they speak for (XEP-0220 §2.1.2). */
export class KeyVerifier {
  readonly #deps: KeyVerifierDeps;
  /** Each may be a connection that a stranger has us open. */
  readonly #places: Shares;

  constructor(deps: KeyVerifierDeps) {
    this.#deps = deps;
    this.#places = new Shares(() => {
      const { dialbackQuestions: total, dialbackQuestionsPerIp: each } = deps.shares();
      return { total, each };
    });
  }

  /** Asks on any stream but the one the key has come by (XEP-0288 §2.2). Never rejects. */
  async verify(question: KeyQuestion, asking: Asking): Promise<DialbackAnswer> {
    const done = this.#places.take(networkOf(asking.remoteAddress));
    if (!done) return StanzaError.resourceConstraint();
    const abort = new AbortController();
    const timer = this.#deps.clock.after(this.#deps.timeoutMs(), () =>
      abort.abort(DialFailure.unreachable('no answer in time')),
    );
    try {
      return await this.#ask(question, asking, abort.signal);
    } catch (error) {
      return error instanceof DialFailure ? error.error : StanzaError.remoteServerNotFound();
    } finally {
      timer.cancel();
      done();
    }
  }

  async #ask(question: KeyQuestion, asking: Asking, signal: AbortSignal): Promise<DialbackAnswer> {
    const open = this.#deps.streamTo(question);
    if (open && open !== asking) return open.dialback.verify(question, signal);
    const { stream } = await this.#deps.dialler.dial(question, 'verify', signal);
    const answer = await stream.dialback.verify(question, signal);
    stream.close();
    return answer;
  }
}
