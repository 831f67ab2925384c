/** A stanza that goes to another server or to a component. */
interface NewOutgoing {
  readonly receivedAtMs: number;
  readonly bytes: Buffer;
}

/** A stanza that may not have arrived there. */
export interface Outgoing extends NewOutgoing {
  readonly id: number;
}

/** Stanzas on their way out, kept until they have provably arrived; the order of ids is the order of sending. */
export interface OutgoingStore {
  /** Resolves with the stanza's id. */
  add(stanza: NewOutgoing): Promise<number>;
  remove(ids: readonly number[]): Promise<void>;
  /** The oldest with an id greater than `afterId`. */
  list(afterId: number, limit: number): Promise<Outgoing[]>;
}
