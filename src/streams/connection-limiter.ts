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

  /** Connections that may wait in the kernel to be accepted. */
  get backlog(): number {
    return this.#limits.backlog;
  }

  /** Counts a connection in; false if it must be turned away. `unauthenticated` is the number of connections of the same listener whose peers have not authenticated. */
  admit(address: string, unauthenticated: number): boolean {
    const exceeded = this.#exceeded(address, unauthenticated);
    if (exceeded === undefined) this.#open += 1;
    else this.#refusals.note(exceeded);
    return exceeded === undefined;
  }

  /** Counts a connection out that was admitted. */
  release(address: string): void {
    this.#open -= 1;
    this.#addresses.release(address);
  }

  /** Counts a connection that is to be opened to another server; false if it must not be. */
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

  /** Counts a connection to another server out that was admitted. */
  releaseOutgoing(): void {
    this.#open -= 1;
    this.#outgoing -= 1;
  }

  /** Forgets addresses at rest, and reports refusals and a lack of descriptors to the operator; called about once a second. */
  look(): void {
    this.#addresses.sweep();
    this.#refusals.report();
    this.#descriptors.look();
  }

  /** The limit that one more connection would exceed, if there is one. */
  #exceeded(address: string, unauthenticated: number): ConnectionLimit | undefined {
    if (this.#open >= this.#limits.total) return 'total';
    if (unauthenticated >= this.#limits.unauthenticated) return 'unauthenticated';
    return this.#addresses.admit(address) ? undefined : 'perIp';
  }
}
