import type { X509Certificate } from 'node:crypto';
import { domainOrNothing } from '../protocol/jid-or-nothing.ts';
import { certificateExtensions, extensionIds } from '../tls/certificate-extensions.ts';
import { asciiDomain, covers } from '../tls/certificate-files.ts';
import { type DerItem, derChildren, derItems } from '../tls/der.ts';

/** The XMPP-specific names in a certificate, as written. */
interface XmppNames {
  /** SRVName: `_service.domain` (RFC 4985). */
  readonly srv: readonly string[];
  /** id-on-xmppAddr (RFC 6120 §13.7.1.4). */
  readonly address: readonly string[];
}

/** GeneralName.otherName (RFC 5280 §4.2.1.6). */
const otherNameTag = 0xa0;
const kinds = {
  address: { id: '2b06010505070805', tag: 0x0c },
  srv: { id: '2b06010505070807', tag: 0x16 },
} as const;

/** The XMPP names in the certificate's subjectAltName. Throws `DerError`. */
export function xmppNames(certificate: X509Certificate): XmppNames {
  const none = { srv: [], address: [] };
  // A subjectAltName that OpenSSL cannot read has no names.
  if (certificate.subjectAltName === undefined) return none;
  const extension = certificateExtensions(certificate).get(extensionIds.subjectAltName);
  const others = derChildren(extension?.value).filter(({ tag }) => tag === otherNameTag);
  const parts = others.map(({ content }) => derItems(content));
  return { srv: parts.flatMap(textOf(kinds.srv)), address: parts.flatMap(textOf(kinds.address)) };
}

function textOf({ id: wanted, tag }: { readonly id: string; readonly tag: number }) {
  return ([id, wrapped]: readonly DerItem[]): string[] => {
    if (id?.content.toString('hex') !== wanted || wrapped === undefined) return [];
    const [value] = derItems(wrapped.content);
    return value?.tag === tag ? [value.content.toString('utf8')] : [];
  };
}

/**
 * Whether the certificate is valid for an XMPP server of the domain (RFC 6120 §13.7.2.1, RFC 9525 §6). Ignores the subject.
 * Throws `DerError`.
 */
export function namesServer(certificate: X509Certificate, domain: string): boolean {
  if (covers(certificate, domain)) return true;
  const { srv, address } = xmppNames(certificate);
  const service = `_xmpp-server.${asciiDomain(domain)}`;
  return srv.some((name) => name.toLowerCase() === service) || address.some((name) => domainOrNothing(name) === domain);
}
