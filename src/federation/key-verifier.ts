import { StanzaError } from '../protocol/stanza-error.ts';
import type { Clock } from '../support/clock.ts';
import { networkOf } from '../support/network-of.ts';
import { Shares } from '../support/shares.ts';
import type { Dialler } from './dial.ts';
import { DialFailure } from './dial-failure.ts';
import type { DialbackStream, ReceivedKey } from './dialback.ts';
import type { DialbackAnswer } from './dialback-message.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { FederationShares } from './federation-options.ts';
import type { PeerStream } from './peer-stream.ts';

/** The stream that brought a key. */
type KeySource = Pick<DialbackStream, 'remoteAddress'>;

/** Dependencies of {@link KeyVerifier}. */
export interface KeyVerifierDeps {
  readonly dialler: Pick<Dialler, 'dial'>;
  /** The outgoing stream to the remote domain, if there is one. */
  readonly streamTo: (pair: DomainPair) => PeerStream | undefined;
  readonly clock: Pick<Clock, 'after'>;
  /** The limit for one verification. */
  readonly timeoutMs: () => number;
  readonly shares: () => Pick<FederationShares, 'dialbackQuestions' | 'dialbackQuestionsPerIp'>;
}

/** Verifies dialback keys with the servers of their originating domains (XEP-0220 §2.1.2). */
export class KeyVerifier {
  readonly #deps: KeyVerifierDeps;
  /** Limits verifications, because each may open a connection on behalf of a stranger. */
  readonly #places: Shares;

  constructor(deps: KeyVerifierDeps) {
    this.#deps = deps;
    this.#places = new Shares(() => {
      const { dialbackQuestions: total, dialbackQuestionsPerIp: each } = deps.shares();
      return { total, each };
    });
  }

  /** Uses any stream except the one that brought the key (XEP-0288 §2.2). Never rejects. */
  async verify(key: ReceivedKey, source: KeySource): Promise<DialbackAnswer> {
    const done = this.#places.take(networkOf(source.remoteAddress));
    if (!done) return StanzaError.resourceConstraint();
    const abort = new AbortController();
    const timer = this.#deps.clock.after(this.#deps.timeoutMs(), () =>
      abort.abort(DialFailure.unreachable('no answer in time')),
    );
    try {
      return await this.#verify(key, source, abort.signal);
    } catch (error) {
      return error instanceof DialFailure ? error.error : StanzaError.remoteServerNotFound();
    } finally {
      timer.cancel();
      done();
    }
  }

  async #verify(key: ReceivedKey, source: KeySource, signal: AbortSignal): Promise<DialbackAnswer> {
    const open = this.#deps.streamTo(key);
    if (open && open !== source) return open.dialback.verify(key, signal);
    const { stream } = await this.#deps.dialler.dial(key, 'verify', signal);
    const answer = await stream.dialback.verify(key, signal);
    stream.close();
    return answer;
  }
}
