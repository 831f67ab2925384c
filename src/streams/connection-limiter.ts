import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import { type AddressLimitOptions, AddressLimits } from './address-limits.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { type ConnectionLimit, RefusalLog } from './refusal-log.ts';

/** Bounds on connections. */
export interface ListenerLimits {
  /** All of them together, whoever accepted them. */
  readonly total: number;
  /** Those of them that we open to other servers. */
  readonly outgoing: number;
  /** Those of one listener whose peers have not authenticated: who floods one port does not close the others. */
  readonly unauthenticated: number;
  readonly backlog: number;
  /** Those of one address, whoever accepted them. */
  readonly address: AddressLimitOptions;
}

/** Decides for all listeners together whether one more connection may come in. */
export class ConnectionLimiter {
  readonly #limits: ListenerLimits;
  readonly #addresses: AddressLimits;
  readonly #turnedAway: RefusalLog;
  readonly #descriptors: DescriptorWatch;
  #inside = 0;
  #outgoing = 0;

  constructor(limits: ListenerLimits, clock: Clock, log: Log) {
    this.#limits = limits;
    this.#addresses = new AddressLimits(limits.address, clock);
    this.#turnedAway = new RefusalLog(clock, log);
    this.#descriptors = new DescriptorWatch(log);
  }

  /** Connections that may wait in the kernel to be accepted. */
  get backlog(): number {
    return this.#limits.backlog;
  }

  /** Counts a connection in; false if it must be turned away. `strangers` have come before it and not authenticated. */
  admit(address: string, strangers: number): boolean {
    const crowded = this.#crowded(address, strangers);
    if (crowded === undefined) this.#inside += 1;
    else this.#turnedAway.note(crowded);
    return crowded === undefined;
  }

  /** Counts a connection out that was admitted. */
  release(address: string): void {
    this.#inside -= 1;
    this.#addresses.release(address);
  }

  /** Counts a connection that is to be opened to another server; false if it must not be. */
  admitOutgoing(): boolean {
    const { total, outgoing } = this.#limits;
    const admitted = this.#inside < total && this.#outgoing < outgoing;
    if (!admitted) this.#turnedAway.note('outgoing');
    else {
      this.#inside += 1;
      this.#outgoing += 1;
    }
    return admitted;
  }

  /** Counts a connection to another server out that was admitted. */
  releaseOutgoing(): void {
    this.#inside -= 1;
    this.#outgoing -= 1;
  }

  /** Forgets who is at rest, and tells the operator what he should know; called about once a second. */
  look(): void {
    this.#addresses.sweep();
    this.#turnedAway.report();
    this.#descriptors.look();
  }

  /** The limit that leaves no room for one more, if there is one. */
  #crowded(address: string, strangers: number): ConnectionLimit | undefined {
    const { total, unauthenticated } = this.#limits;
    if (this.#inside >= total) return 'total';
    if (strangers >= unauthenticated) return 'unauthenticated';
    return this.#addresses.admit(address) ? undefined : 'perIp';
  }
}
