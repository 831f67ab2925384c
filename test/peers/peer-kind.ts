import type { CertificateFiles } from '../../src/tls/certificate-files.ts';

/** How two servers are to know each other. */
export type Way = 'certificate' | 'dialback';

/** What another server is given: addresses, files, and where it finds Ampere. */
export interface PeerPlace {
  readonly directory: string;
  readonly domain: string;
  readonly ports: { readonly c2s: number; readonly s2s: number };
  /** Its own certificate. */
  readonly certificate: CertificateFiles;
  /** The authorities that it trusts. */
  readonly trustedFile: string;
  /** The DNS server that knows where Ampere is. */
  readonly dns: { readonly host: string; readonly port: number };
  readonly way: Way;
  /** Whether it offers one stream for both directions (XEP-0288). */
  readonly bidi: boolean;
}

/** A program in the foreground, as it is to be started. */
export interface PeerProgram {
  readonly command: readonly [string, ...string[]];
  readonly environment?: Readonly<Record<string, string>>;
  /** What it has said, in any order, when the next program may be started, or when everything is there. */
  readonly ready: readonly RegExp[];
}

/** Another server, from Debian. */
export interface PeerKind {
  readonly name: string;
  /** The Debian packages that it needs; the first one is its own. */
  readonly packages: readonly string[];
  /** Writes its configuration. */
  programs(place: PeerPlace): Promise<readonly PeerProgram[]>;
  /** What its log says when it is known to Ampere by this way, and when Ampere is known to it. */
  readonly words: Readonly<Partial<Record<Way, { readonly proved: RegExp; readonly believed: RegExp }>>>;
}
