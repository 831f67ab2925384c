/** One SRV record (RFC 2782). */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  /** 0 to 65535: a record may say what it likes. */
  readonly port: number;
  /** Without the dot at its end; empty means that the service is not offered. */
  readonly host: string;
}

/** What the domain name system says. A name or a kind of record that is not there is an empty list, never an error. */
export interface Resolver {
  /** The SRV records of a name such as `_xmpp-server._tcp.example.org`. Rejects with `ResolutionError` `temporary`. */
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** The IPv6 and IPv4 addresses of a host. Rejects with `ResolutionError` `temporary`. */
  addresses(host: string): Promise<readonly string[]>;
}

/** Why it is not known where a server is. */
type ResolutionFailure = 'no such domain' | 'not offered' | 'temporary';

/** It is not known where the server for a domain is; `temporary` may be otherwise the next time. */
export class ResolutionError extends Error {
  readonly failure: ResolutionFailure;

  constructor(failure: ResolutionFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ResolutionError';
    this.failure = failure;
  }
}
