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
