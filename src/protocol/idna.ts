import { createRequire } from 'node:module';
import { isIPv4, isIPv6 } from 'node:net';
import { PrecisError, requireIdentifier } from './precis.ts';

interface Uts46Options {
  readonly checkHyphens: boolean;
  readonly checkBidi: boolean;
  readonly checkJoiners: boolean;
  readonly useSTD3ASCIIRules: boolean;
  readonly verifyDNSLength: boolean;
}

interface Uts46 {
  toUnicode(name: string, options: Uts46Options): { domain: string; error: boolean };
  toASCII(name: string, options: Uts46Options): string | null;
}

const strict: Uts46Options = {
  checkHyphens: true,
  checkBidi: true,
  checkJoiners: true,
  useSTD3ASCIIRules: true,
  verifyDNSLength: true,
};

/** The longest domain name in A-labels (RFC 1035 §2.3.4), and a length that no spelling of one exceeds. */
const longestName = 253;
const longestSpelling = 1023;

const asciiName = /^(?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.(?!$)|$))+$/;
const needsMapping = /[^\0-\x7F]|(?:^|\.)xn--/i;
const trailingDot = /[.\u3002\uFF0E\uFF61]$/;
const numericEnd = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;
const nonAscii = /[^\0-\x7F]/;
/** IgnorableBlocks (RFC 5892 §2.4), the only category of IDNA2008 that PRECIS does not have. */
const ignorableBlocks = /[\u20D0-\u20FF\u{1D100}-\u{1D24F}]/u;

const require = createRequire(import.meta.url);

/** Loaded on first use: the mapping tables take megabytes, which a server with only ASCII names does not need. */
function uts46(): Uts46 {
  return require('tr46');
}

/** The canonical spelling of a domain name or IP address in a JID (RFC 7622 §3.2, IDNA2008 over UTS 46). Throws PrecisError. */
export function domainName(raw: string): string {
  if (raw.length <= longestName && asciiName.test(raw) && !numericEnd.test(raw)) return raw;
  if (raw.length > longestSpelling) throw new PrecisError('is too long for a domain name');
  if (raw.startsWith('[')) return ipv6Literal(raw);
  const name = raw.replace(trailingDot, '');
  return needsMapping.test(name) ? unicodeName(name) : ldhName(name.toLowerCase());
}

/** A name of letters, digits and hyphens (RFC 5890 §2.3.1). */
function ldhName(name: string): string {
  if (name.length > longestName) throw new PrecisError('is too long for a domain name');
  if (!asciiName.test(name)) throw new PrecisError('is not a domain name');
  requireNoNumber(name);
  return name;
}

/** Resolvers read a name that ends in a number as an IPv4 address, so only the plain spelling of an address is accepted. */
function requireNoNumber(name: string): void {
  if (numericEnd.test(name) && !isIPv4(name)) throw new PrecisError('is neither an IPv4 address nor a domain name');
}

function unicodeName(raw: string): string {
  const { domain, error } = uts46().toUnicode(raw, strict);
  if (error) throw new PrecisError('is not an internationalized domain name');
  if (!nonAscii.test(domain)) return ldhName(domain);
  for (const label of domain.split('.')) requireULabel(label);
  const ascii = uts46().toASCII(domain, strict);
  if (ascii === null) throw new PrecisError('is not a domain name or has a label that is empty or too long');
  requireNoNumber(ascii);
  return domain;
}

function requireULabel(label: string): void {
  if (!nonAscii.test(label)) return;
  requireIdentifier(label);
  if (ignorableBlocks.test(label)) throw new PrecisError('contains a symbol that is not part of a name');
}

/** An IPv6 address in brackets (RFC 3986 §3.2.2) in its shortest spelling, without a zone. */
function ipv6Literal(raw: string): string {
  const address = raw.slice(1, -1);
  if (!raw.endsWith(']') || !isIPv6(address) || address.includes('%')) {
    throw new PrecisError('is not an IPv6 address in brackets');
  }
  return new URL(`http://${raw}`).hostname;
}
