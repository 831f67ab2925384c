import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { namesServer } from './certificate-names.ts';
import { pathFault } from './certificate-path.ts';
import type { TrustAnchors } from './trust-anchors.ts';

/** Whether a peer's certificate proves that the peer is a server of a domain. The reason is one line for logs and operators. */
export type CertificateVerdict = { readonly trusted: true } | { readonly trusted: false; readonly reason: string };

/**
 * Objections of OpenSSL that are not final: it requires a purpose that the largest authorities no longer certify, and does not know
 * the operator's authorities. Each objection may hide others, so the whole path is checked again.
 */
const notFinal: ReadonlySet<string> = new Set([
  'INVALID_PURPOSE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

const longestPath = 8;

/**
 * Judges the certificate of a peer after the handshake, in either role: whether it leads to a trust
 * anchor and names the domain (RFC 6120 §13.7.2, RFC 9525). The domain must be prepared. Never throws.
 */
export function judgeCertificate(
  socket: TLSSocket,
  domain: string,
  trust: TrustAnchors,
  nowMs = Date.now(),
): CertificateVerdict {
  try {
    const fault = faultOf(socket, domain, trust, nowMs);
    return fault === undefined ? { trusted: true } : { trusted: false, reason: fault };
  } catch (error) {
    return { trusted: false, reason: `certificate cannot be read: ${error instanceof Error ? error.message : error}` };
  }
}

function faultOf(socket: TLSSocket, domain: string, trust: TrustAnchors, nowMs: number): string | undefined {
  const path = shownPath(socket);
  const [leaf] = path;
  if (leaf === undefined) return 'no certificate';
  const complaint = opensslComplaint(socket);
  if (complaint !== undefined) {
    if (!notFinal.has(complaint.code)) return complaint.message;
    const fault = pathFault(path, trust, nowMs);
    if (fault !== undefined) return fault;
  }
  return namesServer(leaf, domain) ? undefined : `certificate does not name ${domain}`;
}

interface Complaint {
  readonly code: string;
  readonly message: string;
}

/** OpenSSL's objection. On the accepting side, Node.js exposes it only on sockets that its own `tls.Server` created. */
function opensslComplaint(socket: TLSSocket): Complaint | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (!isVerifying(handle)) throw new Error('the connection is gone');
  const error = handle.verifyError();
  return error ? { code: 'code' in error ? String(error.code) : '', message: error.message } : undefined;
}

function isVerifying(handle: unknown): handle is { verifyError(): Error | null | undefined } {
  return typeof handle === 'object' && handle !== null && 'verifyError' in handle;
}

/** The leaf and its issuers, as far as the peer has sent them or our context knows them; empty without a certificate. */
function shownPath(socket: TLSSocket): X509Certificate[] {
  const path: X509Certificate[] = [];
  // Not getPeerX509Certificate: in Node.js 24 it removes the leaf from the chain for later callers.
  let shown: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (shown?.raw !== undefined && path.length < longestPath) {
    path.push(new X509Certificate(shown.raw));
    // The last certificate is its own issuer.
    shown = shown.issuerCertificate === shown ? undefined : shown.issuerCertificate;
  }
  return path;
}
