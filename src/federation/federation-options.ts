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
 * How another server must prove its domain. `certificate`: by its certificate alone. `dialback`: by its certificate where
 * that convinces, else by dialback (XEP-0220).
 */
export type PeerAuthentication = 'certificate' | 'dialback';

/** What holds for one domain instead of what holds for all. */
export interface DomainPolicy {
  readonly authentication?: PeerAuthentication;
  readonly tlsRequired?: boolean;
  /** For a stream from the domain, once it has proved itself. */
  readonly limits?: StreamLimits;
}

/** Bounds on what waits for one other domain while there is no stream to it. */
interface WaitingLimits {
  readonly stanzas: number;
  readonly bytes: number;
  readonly maxWaitMs: number;
}

/** What all share who have us talk to other servers: how much there is, and how much of it one may have. */
export interface FederationShares {
  /** Pairs of domains. */
  readonly links: number;
  /** Streams that are being opened for one account. */
  readonly newLinksPerAccount: number;
  /** Questions about dialback keys that are under way. */
  readonly dialbackQuestions: number;
  /** Those of them that one IP address has us ask. */
  readonly dialbackQuestionsPerIp: number;
}

/** How federation is to be: who, how proven, and within which bounds. Domains are prepared (RFC 7622 §3.2). */
export interface FederationOptions {
  /** Who may talk to us: unless set everybody who is not in `deny`. `*.example.org` is every domain below example.org. */
  readonly allow?: readonly string[];
  readonly deny: readonly string[];
  readonly authentication: PeerAuthentication;
  /** No stanza travels without TLS. */
  readonly tlsRequired: boolean;
  readonly domains: ReadonlyMap<string, DomainPolicy>;
  /** Where the servers of some domains are, in place of what DNS says. */
  readonly overrides: ReadonlyMap<string, readonly Target[]>;
  /** Whether domains without an override may be in private networks. */
  readonly allowPrivateAddresses: boolean;
  /** From the first SYN to a TCP connection, all addresses of one target together. */
  readonly connectMs: number;
  /** From the first look-up to an authenticated stream, all targets together. */
  readonly establishMs: number;
  /** A stream that carried nothing for so long is closed. */
  readonly idleCloseMs: number;
  readonly waiting: WaitingLimits;
  /** How long a domain that could not be reached is left alone: first, and at most. */
  readonly backOff: { readonly firstMs: number; readonly longestMs: number };
  /** Bounds on one stream, ours to them and theirs to us alike. */
  readonly limits: StreamLimits;
  readonly shares: FederationShares;
}
