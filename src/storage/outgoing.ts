/** A stanza to another server or to a component. */
interface NewOutgoing {
  readonly receivedAtMs: number;
  readonly bytes: Buffer;
}

/** A stored stanza that may not have arrived there. */
export interface Outgoing extends NewOutgoing {
  readonly id: number;
}

/** Stanzas to other servers and components, kept until their receipt is confirmed. The order of ids is the order of sending. */
export interface OutgoingStore {
  /** Resolves with the stanza's id. */
  add(stanza: NewOutgoing): Promise<number>;
  remove(ids: readonly number[]): Promise<void>;
  /** The oldest stanzas with an id greater than `afterId`. */
  list(afterId: number, limit: number): Promise<Outgoing[]>;
}
