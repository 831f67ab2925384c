import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { Tally } from '../support/metric.ts';
import { type AddressLimitOptions, AddressLimits } from './address-limits.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { type ConnectionLimit, RefusalLog } from './refusal-log.ts';

/** Limits on connections, read at each use. */
export interface ListenerLimits {
  /** All connections of all listeners. */
  readonly total: number;
  /** Outgoing connections to other servers; they count in `total`. */
  readonly outgoing: number;
  /** Unauthenticated connections of one listener. Flooding one port does not block the others. */
  readonly unauthenticated: number;
  readonly backlog: number;
  /** Connections of one address, over all listeners. */
  readonly address: AddressLimitOptions;
}

/** Decides for all listeners together whether to admit a connection. */
export class ConnectionLimiter {
  readonly #limits: ListenerLimits;
  readonly #addresses: AddressLimits;
  readonly #refusals: RefusalLog;
  readonly #descriptors: DescriptorWatch;
  #open = 0;
  #outgoing = 0;

  constructor(limits: ListenerLimits, clock: Clock, log: Log) {
    this.#limits = limits;
    this.#addresses = new AddressLimits(limits.address, clock);
    this.#refusals = new RefusalLog(clock, log);
    this.#descriptors = new DescriptorWatch(log);
  }

  /** Refused connections since the start, by the limit. */
  get refusals(): Tally<'reason'> {
    return this.#refusals.total;
  }

  /** Maximum connections waiting in the kernel to be accepted. */
  get backlog(): number {
    return this.#limits.backlog;
  }

  /**
   * Counts a connection; false if it must be refused. `unauthenticated` is the number of unauthenticated connections of the same listener.
   * Without an address, the limits on one address do not apply.
   */
  admit(address: string | undefined, unauthenticated: number): boolean {
    const exceeded = this.#exceeded(address, unauthenticated);
    if (exceeded === undefined) this.#open += 1;
    else this.#refusals.note(exceeded);
    return exceeded === undefined;
  }

  /** Releases an admitted connection. */
  release(address: string | undefined): void {
    this.#open -= 1;
    if (address !== undefined) this.#addresses.release(address);
  }

  /** Counts an outgoing connection to another server; false if it must not be opened. */
  admitOutgoing(): boolean {
    const { total, outgoing } = this.#limits;
    const admitted = this.#open < total && this.#outgoing < outgoing;
    if (!admitted) this.#refusals.note('outgoing');
    else {
      this.#open += 1;
      this.#outgoing += 1;
    }
    return admitted;
  }

  /** Releases an admitted outgoing connection. */
  releaseOutgoing(): void {
    this.#open -= 1;
    this.#outgoing -= 1;
  }

  /** Forgets unused addresses, and logs refusals and a lack of file descriptors; called about once a second. */
  look(): void {
    this.#addresses.sweep();
    this.#refusals.report();
    this.#descriptors.look();
  }

  /** The limit that another connection would exceed, if any. */
  #exceeded(address: string | undefined, unauthenticated: number): ConnectionLimit | undefined {
    if (this.#open >= this.#limits.total) return 'total';
    if (unauthenticated >= this.#limits.unauthenticated) return 'unauthenticated';
    return address === undefined || this.#addresses.admit(address) ? undefined : 'perIp';
  }
}
