import type { Jid } from '../../protocol/jid.ts';
import { type SaslCondition, SaslFailure } from '../../protocol/sasl-failure.ts';
import type { Log } from '../../support/log.ts';
import type { Tally } from '../../support/metric.ts';
import type { Suspensions } from '../suspensions.ts';
import { fastMechanismNames } from './fast/fast-mechanisms.ts';
import type { FailureLimiter } from './sasl/failure-limiter.ts';
import { mechanismNames } from './sasl/mechanisms.ts';
import type { AuthenticationGuard } from './sasl-attempt.ts';
import type { StreamFacts } from './stream-feature.ts';

/** The failures that may be guesses. Others are faults of a client. */
const guesses: ReadonlySet<SaslCondition> = new Set(['not-authorized', 'invalid-authzid']);

/** The names that are counted: others are inventions of clients. */
const knownMechanisms: ReadonlySet<string> = new Set([...mechanismNames, ...fastMechanismNames]);

/** Counts authentications by mechanism and result. */
export type AuthenticationTally = Tally<'mechanism' | 'result'>;

/** Dependencies of the guard. */
interface AddressGuardDeps {
  readonly limiter: FailureLimiter;
  readonly suspensions: Pick<Suspensions, 'check'>;
  readonly tally: AuthenticationTally;
  readonly log: Log;
}

/** Blocks addresses that guess passwords, and counts and logs the result of every authentication. */
export class AddressGuard implements AuthenticationGuard {
  readonly #limiter: FailureLimiter;
  readonly #tally: AuthenticationTally;
  readonly #suspensions: Pick<Suspensions, 'check'>;
  readonly #log: Log;

  constructor({ limiter, suspensions, tally, log }: AddressGuardDeps) {
    this.#limiter = limiter;
    this.#suspensions = suspensions;
    this.#tally = tally;
    this.#log = log;
  }

  admit(remoteAddress: string): void {
    if (this.#limiter.blockedForMs(remoteAddress) > 0) {
      throw SaslFailure.temporaryAuthFailure('too many failures from this address');
    }
  }

  check(identity: Jid): void {
    this.#suspensions.check(identity);
  }

  succeeded({ remoteAddress }: StreamFacts, identity: Jid, mechanism: string): void {
    this.#count(mechanism, 'success');
    this.#log.info({ jid: identity.toString(), mechanism, remote: remoteAddress }, 'authenticated');
  }

  failed({ remoteAddress }: StreamFacts, failure: SaslFailure, mechanism: string): void {
    this.#count(mechanism, failure.condition);
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

  /** The client chooses the name of the mechanism, and could invent any number of names. */
  #count(mechanism: string, result: string): void {
    const known = knownMechanisms.has(mechanism);
    this.#tally.add({ mechanism: known ? mechanism : 'unknown', result });
  }
}
