import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { prepareDomain } from '../../protocol/jid.ts';
import { certificateExtensions, extensionIds } from '../tls/certificate-extensions.ts';
import { asciiDomain } from '../tls/certificate-files.ts';
import { type DerItem, derChildren, derItems } from '../tls/der.ts';

/** Every name of a certificate that could be a server's, as it stands there. */
export interface CertificateNames {
  readonly dns: readonly string[];
  /** SRVName: `_service.domain` (RFC 4985). */
  readonly srv: readonly string[];
  /** id-on-xmppAddr (RFC 6120 §13.7.1.4). */
  readonly xmpp: readonly string[];
}

/** Tags of GeneralName (RFC 5280 §4.2.1.6). */
const tags = { otherName: 0xa0, dnsName: 0x82 } as const;
const otherNames = { xmppAddr: '2b06010505070805', srvName: '2b06010505070807' } as const;
const stringTags = { xmppAddr: 0x0c, srvName: 0x16 } as const;

/** The names in the certificate's subjectAltName. Its subject is not looked at (RFC 9525 §2). Throws `DerError`. */
export function certificateNames(certificate: X509Certificate): CertificateNames {
  const extension = certificateExtensions(certificate).get(extensionIds.subjectAltName);
  const names = derChildren(extension?.value);
  const texts = (tag: number) => names.filter((name) => name.tag === tag).map(({ content }) => content);
  const others = texts(tags.otherName).map((content) => derItems(content));
  return {
    dns: texts(tags.dnsName).map((content) => content.toString('latin1')),
    srv: others.flatMap((parts) => otherName(parts, 'srvName')),
    xmpp: others.flatMap((parts) => otherName(parts, 'xmppAddr')),
  };
}

function otherName([id, wrapped]: readonly DerItem[], kind: keyof typeof otherNames): string[] {
  if (id?.content.toString('hex') !== otherNames[kind] || wrapped === undefined) return [];
  const [value] = derItems(wrapped.content);
  return value?.tag === stringTags[kind] ? [value.content.toString('utf8')] : [];
}

/** Whether the certificate names the domain as one that may talk to servers (RFC 6120 §13.7.2.1). Throws `DerError`. */
export function namesServer(certificate: X509Certificate, domain: string): boolean {
  const address = domain.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0) return certificate.checkIP(address) !== undefined;
  const names = certificateNames(certificate);
  const ascii = asciiDomain(domain);
  return (
    names.dns.some((name) => dnsNameMatches(name.toLowerCase(), ascii)) ||
    names.srv.some((name) => name.toLowerCase() === `_xmpp-server.${ascii}`) ||
    names.xmpp.some((name) => isSameDomain(name, domain))
  );
}

/** Exactly, or with a wildcard that is the whole first label and has two more behind it (RFC 9525 §6.3). */
function dnsNameMatches(name: string, domain: string): boolean {
  if (!name.startsWith('*.')) return name === domain;
  const parent = name.slice(2);
  return parent.includes('.') && domain.slice(domain.indexOf('.') + 1) === parent;
}

function isSameDomain(name: string, domain: string): boolean {
  try {
    return prepareDomain(name) === domain;
  } catch {
    return false;
  }
}
