import type { Clock } from '../support/clock.ts';
import { networkOf } from '../support/network-of.ts';
import { TokenBucket } from '../support/token-bucket.ts';

/** Limits on the connections of one network address. They are read at each use; a rate that has been used up keeps its old limits. */
export interface AddressLimitOptions {
  readonly concurrent: number;
  readonly perSecond: number;
  readonly burst: number;
}

interface AddressRecord {
  readonly openings: TokenBucket;
  connections: number;
}

/** Counts the connections of every address (XEP-0205 §3). Forgets an address when it has no connections and its rate has recovered. */
export class AddressLimits {
  readonly #options: AddressLimitOptions;
  readonly #clock: Clock;
  readonly #records = new Map<string, AddressRecord>();

  constructor(options: AddressLimitOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Counts a new connection; false if this address has too many or opens them too fast. */
  admit(address: string): boolean {
    const network = networkOf(address);
    const record = this.#records.get(network) ?? this.#newRecord();
    this.#records.set(network, record);
    if (record.connections >= this.#options.concurrent || !record.openings.tryTake()) return false;
    record.connections += 1;
    return true;
  }

  /** Releases an admitted connection. */
  release(address: string): void {
    const record = this.#records.get(networkOf(address));
    if (record) record.connections -= 1;
  }

  /** Forgets the addresses without connections whose rate has recovered. */
  sweep(): void {
    for (const [network, record] of this.#records) {
      if (record.connections === 0 && record.openings.full) this.#records.delete(network);
    }
  }

  #newRecord(): AddressRecord {
    const { perSecond, burst } = this.#options;
    return { openings: new TokenBucket(perSecond, burst, this.#clock), connections: 0 };
  }
}
