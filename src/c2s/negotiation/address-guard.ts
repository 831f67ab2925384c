import type { Jid } from '../../protocol/jid.ts';
import { type SaslCondition, SaslFailure } from '../../protocol/sasl-failure.ts';
import type { Log } from '../../support/log.ts';
import type { FailureLimiter } from './sasl/failure-limiter.ts';
import type { AuthenticationGuard } from './sasl-attempt.ts';
import type { StreamFacts } from './stream-feature.ts';

/** The failures that may be guesses. Others are faults of a client. */
const guesses: ReadonlySet<SaslCondition> = new Set(['not-authorized', 'invalid-authzid']);

/** Blocks addresses that guess passwords, and logs the result of every authentication. */
export class AddressGuard implements AuthenticationGuard {
  readonly #limiter: FailureLimiter;
  readonly #log: Log;

  constructor(limiter: FailureLimiter, log: Log) {
    this.#limiter = limiter;
    this.#log = log;
  }

  admit(remoteAddress: string): void {
    if (this.#limiter.blockedForMs(remoteAddress) > 0) {
      throw SaslFailure.temporaryAuthFailure('too many failures from this address');
    }
  }

  succeeded({ remoteAddress }: StreamFacts, identity: Jid, mechanism: string): void {
    this.#log.info({ jid: identity.toString(), mechanism, remote: remoteAddress }, 'authenticated');
  }

  failed({ remoteAddress }: StreamFacts, failure: SaslFailure, mechanism: string): void {
    if (guesses.has(failure.condition)) this.#limiter.failed(remoteAddress);
    this.#log.info(
      { condition: failure.condition, mechanism: mechanism.slice(0, 32), remote: remoteAddress },
      'authentication failed',
    );
  }

  broken(error: unknown): SaslFailure {
    this.#log.error({ err: error }, 'authentication failed unexpectedly');
    return SaslFailure.temporaryAuthFailure();
  }
}
