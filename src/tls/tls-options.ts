import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { type SecureContext, type SecureContextOptions, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { type ContextInUse, contextsInUse } from './contexts-in-use.ts';

/** When the TLS handshake happens: within the stream, or with the first byte (XEP-0368). */
export type TlsHandshake = 'starttls' | 'direct';

/**
 * How TLS comes onto the connections of a listener. `established`: whatever carries the stream, as HTTPS does (RFC 7395
 * §3.9), has its own or has none, and the stream can begin none.
 */
export type TlsStart = TlsHandshake | 'established';

/** The cipher suites of TLS 1.3, then those of TLS 1.2 with ECDHE and AEAD; nothing else (RFC 9325 §4.2). */
const cipherSuites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
] as const;

/** Options of every TLS context of this server (RFC 7590 §3, RFC 9325 §3). */
export const secureContextOptions = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: cipherSuites.join(':'),
  honorCipherOrder: true,
  // Tickets would outlive the keys they protect: their own key lasts as long as the process (RFC 7590 §3.3).
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
} as const satisfies SecureContextOptions;

/** Returns the TLS context for the name a client asks for; the default context for no name or an unknown one. */
export interface ContextSource {
  /** Whether all names have the same context. */
  readonly single: boolean;
  contextFor(serverName: string | undefined): SecureContext;
}

/** Lays TLS over a connection, for `host` unless the peer names another. */
export type LayTls = (plain: Socket, start: TlsHandshake, host: string | undefined) => TLSSocket;

/** Lays TLS over the connections that a listener of this server accepts. */
export function servingTls(contexts: ContextSource, protocols: Protocols = 'xmpp-client'): LayTls {
  return (plain, start, host) => {
    const use: ContextInUse = { context: undefined };
    const contextFor = (name: string | undefined) => {
      use.context = contexts.contextFor(name);
      return use.context;
    };
    const { single } = contexts;
    const socket = new TLSSocket(plain, tlsSocketOptions({ single, contextFor }, start, host, protocols));
    contextsInUse.set(socket, use);
    return socket;
  };
}

type AlpnProtocol = 'http/1.1' | 'xmpp-client' | 'xmpp-server';
/** What a port serves. `web`: HTTP, and XMPP for clients that offer nothing else (XEP-0368 §3). */
type Protocols = AlpnProtocol | 'web';

/** A shared buffer: for a list of protocols, Node makes a copy per connection, which can keep a page of its buffers alive. */
const agreements = {
  'http/1.1': agreeingOn('http/1.1'),
  'xmpp-client': agreeingOn('xmpp-client'),
  'xmpp-server': agreeingOn('xmpp-server'),
  web: agreeingOn('http/1.1', 'xmpp-client'),
} as const satisfies Record<Protocols, TLSSocketOptions['ALPNCallback']>;

/** Agrees on the first one that the peer offers. */
function agreeingOn(...served: AlpnProtocol[]): (offer: { protocols: string[] }) => AlpnProtocol | undefined {
  return ({ protocols }) => served.find((protocol) => protocols.includes(protocol));
}

/**
 * Options for `new TLSSocket(socket, …)` on the server's side of a connection. `host`, that of the stream header, stands
 * in for a server name indication (RFC 6120 §13.7.2.1).
 * With direct TLS a peer that uses ALPN must ask for a protocol of the port (XEP-0368 §2).
 */
export function tlsSocketOptions(
  contexts: ContextSource,
  start: TlsHandshake,
  host: string | undefined,
  protocols: Protocols = 'xmpp-client',
): TLSSocketOptions {
  const choose: NonNullable<TLSSocketOptions['SNICallback']> = (serverName, answer) =>
    answer(null, contexts.contextFor(serverName));
  return {
    isServer: true,
    secureContext: contexts.contextFor(host),
    // Asking for the name interrupts the handshake.
    ...(contexts.single ? {} : { SNICallback: choose }),
    ...(start === 'direct' ? { ALPNCallback: agreements[protocols] } : {}),
  };
}
