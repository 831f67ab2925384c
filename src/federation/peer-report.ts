/** One pair of domains on a stream between servers, or the queue for one that has no stream, as it is shown to the operator. */
export interface PeerStreamReport {
  /** Our domain and that of the other server, as far as they are known. */
  readonly local?: string | undefined;
  readonly remote?: string | undefined;
  /** Who has opened the stream: the other server, or we. */
  readonly direction: 'in' | 'out';
  /** Whether stanzas go both ways by it (XEP-0288). */
  readonly bothWays?: boolean | undefined;
  /** `open`, or an earlier state. `backing-off`: the last attempt failed, and the next one has to wait. */
  readonly state: string;
  /** How the side that has opened the stream has proved who it is. */
  readonly authenticatedBy?: 'certificate' | 'dialback' | undefined;
  readonly tls: boolean;
  /** Whether there are acknowledgments (XEP-0198). */
  readonly management: boolean;
  /** Stanzas of ours that wait to leave. */
  readonly queued: number;
  /** Stanzas of ours that have left and may not have arrived. */
  readonly unacknowledged: number;
  readonly remoteAddress?: string | undefined;
  /** Why the last attempt failed. */
  readonly failure?: string | undefined;
  /** Time until the next attempt is allowed. */
  readonly retryInMs?: number | undefined;
}
