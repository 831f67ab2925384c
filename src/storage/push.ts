/** A push service that a client has enabled for its device (XEP-0357 §5). The service and the node together identify it. */
export interface PushRegistration {
  /** The JID of the service. */
  readonly service: string;
  /** The node of the device there; empty if the client named none. */
  readonly node: string;
  /** The key of the device whose session enabled it. */
  readonly device: string;
  /** The publish options that the service demands, as JSON. */
  readonly options: string;
}

/** The push services of accounts. */
export interface PushStore {
  /** Those of an account, in the order in which they were enabled. */
  list(owner: string): Promise<PushRegistration[]>;
  /** Adds one, or replaces the one with its service and node. Those that were enabled longest ago go if the account has more than `max`. */
  enable(owner: string, registration: PushRegistration, max: number): Promise<void>;
  /** Removes the one with a service and node; without `node`, all with the service. */
  disable(owner: string, service: string, node?: string): Promise<void>;
}
