/** A session that its client may resume (XEP-0198 §5). */
export interface NewResumableSession {
  /** A hash of the token that the client holds. */
  readonly key: string;
  readonly owner: string;
  readonly resource: string;
  readonly maxSeconds: number;
  /** The state of the session, such as its presence, as JSON. */
  readonly state: string;
}

/** A session as read at the start. */
export interface ResumableSession extends NewResumableSession {
  /** The number of the client's stanzas that are final. It never wraps. */
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
  /** Its number among the sent stanzas. Absent if it has not been sent yet. */
  readonly sequence: number | undefined;
  readonly receivedAtMs: number;
  readonly bytes: Buffer;
}

/** A stanza that its recipient has not confirmed yet. The order of ids is the order of sending. */
export interface Unacknowledged extends NewUnacknowledged {
  readonly id: number;
  readonly owner: string;
}

/** Sessions that can be resumed, and stanzas that clients have not acknowledged. */
export interface ResumptionStore {
  open(session: NewResumableSession): Promise<void>;
  /** Writes the number of the client's stanzas that are final, also after the end, and the state if it has changed. */
  handled(key: string, handled: number, state?: string): Promise<void>;
  /** The connection is lost: these stanzas, in this order, replace all stanzas of the session. Resolves with their ids. */
  detach(key: string, detachment: Detachment, stanzas: readonly NewUnacknowledged[]): Promise<number[]>;
  /** The client has resumed the session. */
  attach(key: string): Promise<void>;
  /** The session can no longer be resumed. Removes the rows of sessions that ended before `forgetBeforeMs`. */
  end(key: string, handled: number, atMs: number, forgetBeforeMs: number): Promise<void>;
  /** The number of stanzas that an ended session of this owner had handled. */
  handledBeforeEnd(key: string, owner: string): Promise<number | undefined>;
  /** The sessions that have not ended; those attached until now count as detached at `nowMs`. */
  living(nowMs: number): Promise<ResumableSession[]>;
  /** Stores one stanza and resolves with its id once it is durable. */
  add(owner: string, key: string | undefined, stanza: NewUnacknowledged): Promise<number>;
  /** Adds the number of a stanza that was stored before it was sent. */
  number(id: number, sequence: number): Promise<void>;
  remove(ids: readonly number[]): Promise<void>;
  stanzasOf(key: string): Promise<Unacknowledged[]>;
  /** The oldest stanzas with an id greater than `afterId` whose session has ended. */
  strays(afterId: number, limit: number): Promise<Unacknowledged[]>;
}
