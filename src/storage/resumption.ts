/** A session that its client may come back to (XEP-0198 §5). */
export interface NewResumableSession {
  /** A hash of the token that the client holds. */
  readonly key: string;
  readonly owner: string;
  readonly resource: string;
  readonly maxSeconds: number;
  /** What the session has told the world about itself, as JSON. */
  readonly state: string;
}

/** A session as it is found at the start. */
export interface ResumableSession extends NewResumableSession {
  /** How many stanzas of the client are final; grows without end. */
  readonly handled: number;
  readonly detachedAtMs: number;
}

/** A session whose connection is lost. */
export interface Detachment {
  readonly atMs: number;
  readonly handled: number;
  readonly state: string;
}

/** A stanza handed to a session. */
export interface NewUnacknowledged {
  /** Its number among all that were sent; absent if it has not been sent yet. */
  readonly sequence: number | undefined;
  readonly receivedAtMs: number;
  readonly bytes: Buffer;
}

/** A stanza whose recipient has not proven yet that it has it; the order of ids is the order of sending. */
export interface Unacknowledged extends NewUnacknowledged {
  readonly id: number;
  readonly owner: string;
}

/** Sessions that can be resumed, and the stanzas that clients have yet to acknowledge. */
export interface ResumptionStore {
  open(session: NewResumableSession): Promise<void>;
  /** Notes how many stanzas of the client are final, also after the end, and, if it has changed, what the session has told the world. */
  handled(key: string, handled: number, state?: string): Promise<void>;
  /** The connection is lost: these stanzas, in this order, replace all that were kept for the session. Resolves with their ids. */
  detach(key: string, detachment: Detachment, stanzas: readonly NewUnacknowledged[]): Promise<number[]>;
  /** The client is back. */
  attach(key: string): Promise<void>;
  /** Nobody can come back to the session any more; sessions that ended before `forgetBeforeMs` are forgotten altogether. */
  end(key: string, handled: number, atMs: number, forgetBeforeMs: number): Promise<void>;
  /** How many stanzas an ended session of this owner had handled. */
  handledBeforeEnd(key: string, owner: string): Promise<number | undefined>;
  /** The sessions that have not ended; those attached until now count as detached at `nowMs`. */
  living(nowMs: number): Promise<ResumableSession[]>;
  /** Keeps one stanza and resolves with its id once it is durable. */
  add(owner: string, key: string | undefined, stanza: NewUnacknowledged): Promise<number>;
  /** A stanza that was kept before it was sent has been sent. */
  number(id: number, sequence: number): Promise<void>;
  remove(ids: readonly number[]): Promise<void>;
  stanzasOf(key: string): Promise<Unacknowledged[]>;
  /** The oldest stanzas with an id greater than `afterId` that belong to no living session. */
  strays(afterId: number, limit: number): Promise<Unacknowledged[]>;
}
