import type { SecureContext, TLSSocket } from 'node:tls';
import { certificateHash } from './certificate-hash.ts';
import { contextsInUse } from './contexts-in-use.ts';

/** One way to tie an authentication to the TLS connection that carries it (RFC 5056, XEP-0440). */
export interface ChannelBinding {
  readonly type: 'tls-exporter' | 'tls-server-end-point' | 'tls-unique';
  /** Whether it is advertised; `tls-unique` is only accepted from clients that use it unasked. */
  readonly advertised: boolean;
  readonly data: () => Buffer;
}

/** The part of a TLS socket that channel binding needs. */
type BindableSocket = Pick<
  TLSSocket,
  'getProtocol' | 'exportKeyingMaterial' | 'getX509Certificate' | 'getPeerFinished'
>;

const hashes = new WeakMap<SecureContext, Buffer>();
const known = new WeakMap<BindableSocket, readonly ChannelBinding[]>();

/** The channel bindings of a TLS connection after its handshake. Cached, because computing them is expensive. */
export function channelBindingsOf(socket: BindableSocket): readonly ChannelBinding[] {
  const bindings = known.get(socket) ?? findBindings(socket);
  known.set(socket, bindings);
  return bindings;
}

/** Frees the cached channel bindings of a connection that no longer needs them. */
export function forgetChannelBindings(socket: BindableSocket): void {
  known.delete(socket);
}

/**
 * Strongest first.
 * `tls-exporter` needs TLS 1.3: under TLS 1.2 it is safe only with the extended master secret (RFC 9266 §2),
 * and Node cannot tell whether that was negotiated.
 */
function findBindings(socket: BindableSocket): ChannelBinding[] {
  return [tlsExporter(socket), tlsServerEndPoint(socket), tlsUnique(socket)].filter((binding) => binding !== undefined);
}

/** RFC 9266 §2. */
function tlsExporter(socket: BindableSocket): ChannelBinding | undefined {
  if (socket.getProtocol() !== 'TLSv1.3') return undefined;
  const data = () => socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
  return { type: 'tls-exporter', advertised: true, data };
}

/** RFC 5929 §4.1; undefined for certificates whose binding it leaves undefined. */
function tlsServerEndPoint(socket: BindableSocket): ChannelBinding | undefined {
  const context = contextsInUse.get(socket)?.context;
  const hash = (context && hashes.get(context)) ?? ownHash(socket);
  if (context && hash) hashes.set(context, hash);
  return hash && { type: 'tls-server-end-point', advertised: true, data: () => hash };
}

function ownHash(socket: BindableSocket): Buffer | undefined {
  const certificate = socket.getX509Certificate()?.raw;
  return certificate && certificateHash(certificate);
}

/**
 * RFC 5929 §3.1: the client's Finished message, as older clients (gloox, slixmpp) take it, the latter under TLS 1.3 too.
 * It is unique to the connection as long as sessions are neither resumed nor renegotiated, which this server never does.
 */
function tlsUnique(socket: BindableSocket): ChannelBinding | undefined {
  const finished = socket.getPeerFinished();
  return finished && { type: 'tls-unique', advertised: false, data: () => finished };
}
