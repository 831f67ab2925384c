import type { Clock } from '../../../support/clock.ts';
import { networkOf } from '../../../support/network-of.ts';
import { TokenBucket } from '../../../support/token-bucket.ts';

/** How many failed authentications one address may cause. */
interface FailureLimits {
  /** Failures within the window that lead to a block. */
  readonly maxFailures: number;
  readonly windowMs: number;
  readonly blockMs: number;
  /** Addresses remembered; beyond that the one that failed longest ago is forgotten. */
  readonly maxAddresses: number;
}

interface FailureRecord {
  readonly allowance: TokenBucket;
  blockedUntilMs: number;
}

/**
 * Slows down who guesses passwords, by address and never by account: nobody can lock another one out
 * (RFC 6120 §6.4.5, XEP-0205 §3). A success forgives nothing, else an account of one's own would buy more guesses.
 */
export class FailureLimiter {
  readonly #limits: FailureLimits;
  readonly #clock: Clock;
  /** In the order of the latest failure. */
  readonly #records = new Map<string, FailureRecord>();

  constructor(limits: FailureLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Milliseconds for which this address may not try again; 0 if it may. */
  blockedForMs(address: string): number {
    const until = this.#records.get(networkOf(address))?.blockedUntilMs ?? 0;
    return Math.max(0, until - this.#clock.monotonicMs());
  }

  /** Counts a failed attempt against this address. */
  failed(address: string): void {
    const network = networkOf(address);
    const record = this.#records.get(network) ?? { allowance: this.#newAllowance(), blockedUntilMs: 0 };
    if (record.allowance.takeInDebt(1) > 0) record.blockedUntilMs = this.#clock.monotonicMs() + this.#limits.blockMs;
    this.#records.delete(network);
    this.#records.set(network, record);
    this.#forgetOldest();
  }

  /** The failure that finds nothing left is the last one allowed, hence one less. */
  #newAllowance(): TokenBucket {
    const { maxFailures, windowMs } = this.#limits;
    return new TokenBucket((maxFailures * 1000) / windowMs, maxFailures - 1, this.#clock);
  }

  #forgetOldest(): void {
    if (this.#records.size <= this.#limits.maxAddresses) return;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#records.delete(oldest);
  }
}

/** The settings of the operator, read at each use. */
export interface FailureOptions {
  readonly failuresPerIp: number;
  readonly failureWindowSeconds: number;
  readonly blockSeconds: number;
}

/** Failed addresses that one limiter remembers. */
const rememberedAddresses = 100_000;

/** Makes a limiter for one kind of secret: a password, or the token of an invitation. */
export function failureLimiter(options: FailureOptions, clock: Clock): FailureLimiter {
  const limits: FailureLimits = {
    get maxFailures() {
      return options.failuresPerIp;
    },
    get windowMs() {
      return options.failureWindowSeconds * 1000;
    },
    get blockMs() {
      return options.blockSeconds * 1000;
    },
    maxAddresses: rememberedAddresses,
  };
  return new FailureLimiter(limits, clock);
}
