/** A stream between servers, or a pair of domains without a stream, as shown to the operator. */
export interface PeerStreamReport {
  /** The local and the remote domain, as far as known. */
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
  /** `in`: the other server has opened the stream; `out`: we have. */
  readonly direction: 'in' | 'out';
  /** Whether it carries stanzas in both directions (XEP-0288). */
  readonly bothWays?: boolean | undefined;
  /** The state of the stream. `backing-off`: the server is unreachable and will be tried again later. */
  readonly state: string;
  /** How the initiating side has authenticated. */
  readonly authenticatedBy?: 'certificate' | 'dialback' | undefined;
  readonly tls: boolean;
  /** Whether stream management is in use (XEP-0198). */
  readonly management: boolean;
  /** Outgoing stanzas in the queue. */
  readonly queued: number;
  /** Outgoing stanzas sent but not confirmed. */
  readonly unacknowledged: number;
  readonly remoteAddress?: string | undefined;
  /** Why the last attempt failed. */
  readonly failure?: string | undefined;
  /** Time until the next attempt. */
  readonly retryInMs?: number | undefined;
}
