import type { StreamLimits } from '../streams/stream-limits.ts';

/** Where a server for a domain may be (RFC 6120 §3.2, XEP-0368). */
export interface Target {
  /** A host name, whose addresses are asked for, or an IP address. */
  readonly host: string;
  readonly port: number;
  readonly tls: 'starttls' | 'direct';
  /** Its addresses, if they are known already. */
  readonly addresses?: readonly string[];
  /** The operator named it for the domain: it may be in a private network. */
  readonly fixed?: true;
}

/**
 * How another server must prove its domain. `certificate`: by a valid certificate only. `dialback`: by a valid certificate, otherwise by
 * dialback (XEP-0220).
 */
export type PeerAuthentication = 'certificate' | 'dialback';

/** Settings for one domain that replace the general ones. */
export interface DomainPolicy {
  readonly authentication?: PeerAuthentication;
  readonly tlsRequired?: boolean;
  /** The limits of a stream with the domain, once the domain is proved. */
  readonly limits?: StreamLimits;
}

/** Limits on the stanzas that wait for a stream to one remote domain. */
interface WaitingLimits {
  readonly stanzas: number;
  readonly bytes: number;
  readonly maxWaitMs: number;
}

/** Outbound connections: the totals, and the share of one account or address. */
export interface FederationShares {
  /** Pairs of domains. */
  readonly links: number;
  /** Streams being opened for one account. */
  readonly newLinksPerAccount: number;
  /** Dialback keys being verified. */
  readonly dialbackQuestions: number;
  /** Dialback keys from one IP address being verified. */
  readonly dialbackQuestionsPerIp: number;
}

/** Settings of federation: permitted domains, authentication and limits. Domains are prepared (RFC 7622 §3.2). */
export interface FederationOptions {
  /** The permitted domains; if absent, all that are not in `deny`. `*.example.org` matches every subdomain of example.org. */
  readonly allow?: readonly string[];
  readonly deny: readonly string[];
  readonly authentication: PeerAuthentication;
  /** Stanzas are exchanged over TLS only. */
  readonly tlsRequired: boolean;
  readonly domains: ReadonlyMap<string, DomainPolicy>;
  /** The servers of single domains, used instead of DNS. */
  readonly overrides: ReadonlyMap<string, readonly Target[]>;
  /** Whether DNS may lead into private networks. */
  readonly allowPrivateAddresses: boolean;
  /** Time allowed for a TCP connection, over all addresses of one target. */
  readonly connectMs: number;
  /** Time allowed from the DNS lookup to an authenticated stream, over all targets of one domain. */
  readonly establishMs: number;
  /** Time without stanzas after which a stream is closed. */
  readonly idleCloseMs: number;
  readonly waiting: WaitingLimits;
  /** The delay before an unreachable domain is tried again: at first, and at most. */
  readonly backOff: { readonly firstMs: number; readonly longestMs: number };
  /** The limits of one stream, in either direction. */
  readonly limits: StreamLimits;
  readonly shares: FederationShares;
}
