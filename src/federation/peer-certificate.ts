import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { namesServer } from './certificate-names.ts';
import { pathFault } from './certificate-path.ts';
import type { TrustAnchors } from './trust-anchors.ts';

/** Whether a peer's certificate proves that it is the server of a domain; the reason is one line for logs and operators. */
export type CertificateVerdict = { readonly trusted: true } | { readonly trusted: false; readonly reason: string };

/**
 * Complaints of OpenSSL that are no last word: it asks for a purpose that the largest authorities no longer certify, and knows
 * none of the operator's authorities. Each of them may hide others, so that the whole path is looked at again.
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
 * Judges the certificate that the peer of a finished handshake has shown, in either role: whether it leads to a trust
 * anchor, and names the domain (RFC 6120 §13.7.2, RFC 9525). The domain is prepared. Never throws.
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

/** The result of OpenSSL's own check. On the server's side Node.js tells it only to sockets that its `tls.Server` has made. */
function opensslComplaint(socket: TLSSocket): Complaint | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (!isVerifying(handle)) throw new Error('the connection is gone');
  const error = handle.verifyError();
  return error ? { code: 'code' in error ? String(error.code) : '', message: error.message } : undefined;
}

function isVerifying(handle: unknown): handle is { verifyError(): Error | null | undefined } {
  return typeof handle === 'object' && handle !== null && 'verifyError' in handle;
}

/** The leaf and the issuer of each, as far as the peer has shown them or our context knows them; empty if there is none. */
function shownPath(socket: TLSSocket): X509Certificate[] {
  const path: X509Certificate[] = [];
  // Not getPeerX509Certificate: in Node.js 24 it takes the leaf out of the chain for whoever asks next.
  let shown: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (shown?.raw !== undefined && path.length < longestPath) {
    path.push(new X509Certificate(shown.raw));
    // The last one is its own issuer.
    shown = shown.issuerCertificate === shown ? undefined : shown.issuerCertificate;
  }
  return path;
}
