import { isIP, type Socket } from 'node:net';
import { connect, TLSSocket } from 'node:tls';
import { asciiDomain } from './certificate-files.ts';
import type { TlsHandshake } from './tls-options.ts';
import { type ContextSource, tlsSocketOptions } from './tls-options.ts';

const alpnProtocol = 'xmpp-server';

/**
 * The answering side of TLS with another server. It asks for a certificate and takes any or none: what the certificate is worth
 * is judged when the peer has said who it is. `host` stands in for a server name indication. Tells `secure` or `_tlsError`, as every TLSSocket on the server's side.
 */
export function answerPeerTls(plain: Socket, contexts: ContextSource, start: TlsHandshake, host?: string): TLSSocket {
  return new TLSSocket(plain, {
    ...tlsSocketOptions(contexts, start, host, alpnProtocol),
    requestCert: true,
    rejectUnauthorized: false,
  });
}

/** The two domains of a TLS connection, both prepared. */
interface TlsNames {
  readonly local: string;
  readonly remote: string;
}

/**
 * The asking side of TLS with another server, which shows the certificate of our domain. It takes any certificate, which is
 * judged when the handshake is done. Tells `secure` or `error`.
 */
export function askPeerTls(plain: Socket, contexts: ContextSource, names: TlsNames, start: TlsHandshake): TLSSocket {
  return connect({
    socket: plain,
    secureContext: contexts.contextFor(names.local),
    ...serverName(names.remote),
    ...(start === 'direct' ? { ALPNProtocols: [alpnProtocol] } : {}),
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
}

/** SNI cannot contain IP addresses (RFC 6066 §3). */
function serverName(domain: string): { servername?: string } {
  return isIP(domain.replace(/^\[|\]$/g, '')) === 0 ? { servername: asciiDomain(domain) } : {};
}
