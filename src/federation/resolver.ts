/** One SRV record (RFC 2782). */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  /** 0 to 65535, not validated. */
  readonly port: number;
  /** Without the trailing dot; empty if the service is not offered. */
  readonly host: string;
}

/** DNS lookups. A missing name or record type yields an empty list, not an error. */
export interface Resolver {
  /** The SRV records of a name such as `_xmpp-server._tcp.example.org`. Rejects with `ResolutionError` `temporary`. */
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** The IPv6 and IPv4 addresses of a host. Rejects with `ResolutionError` `temporary`. */
  addresses(host: string): Promise<readonly string[]>;
}

/** Why the server of a domain could not be found. */
type ResolutionFailure = 'no such domain' | 'not offered' | 'temporary';

/** The server of a domain could not be found. After `temporary`, the next attempt may succeed. */
export class ResolutionError extends Error {
  readonly failure: ResolutionFailure;

  constructor(failure: ResolutionFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ResolutionError';
    this.failure = failure;
  }
}
