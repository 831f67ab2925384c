import { escapeAttribute } from '../xml/escape.ts';
import { domainName } from './idna.ts';
import { flatCopy, InternCache } from './intern-cache.ts';
import { opaqueString, PrecisError, usernameCaseMapped } from './precis.ts';

const longestPartBytes = 1023;
/** Preparation shortens a text at most fourfold (NFC composing four code points), so a longer one cannot fit. */
const longestRawPart = 4 * longestPartBytes;
const internedJids = 8192;

const asciiLocal = /^[!#-%(-.0-9;=?A-~]{1,1023}$/;
const excludedFromLocal = /["&'/:<>@]/;
const asciiResource = /^[ -~]{1,1023}$/;

/** A part of a JID. */
type JidPart = 'localpart' | 'domainpart' | 'resourcepart';

/** A text that is not a JID. The message names the faulty part and its fault. */
export class JidError extends Error {
  override readonly name = 'JidError';
  readonly part: JidPart;

  constructor(part: JidPart, fault: string) {
    super(`${part} ${fault}`);
    this.part = part;
  }
}

function prepared(part: JidPart, raw: string, prepare: (raw: string) => string): string {
  if (raw === '') throw new JidError(part, 'is empty');
  if (raw.length > longestRawPart) throw new JidError(part, `is longer than ${longestPartBytes} bytes`);
  const text = explained(part, raw, prepare);
  if (Buffer.byteLength(text) > longestPartBytes) throw new JidError(part, `is longer than ${longestPartBytes} bytes`);
  return text;
}

function explained(part: JidPart, raw: string, prepare: (raw: string) => string): string {
  try {
    return prepare(raw);
  } catch (error) {
    if (error instanceof PrecisError) throw new JidError(part, error.message);
    throw error;
  }
}

function localName(raw: string): string {
  const name = usernameCaseMapped(raw);
  const excluded = excludedFromLocal.exec(name);
  if (excluded) throw new PrecisError(`contains ${excluded[0]}`);
  return name;
}

/** Prepares a localpart by the UsernameCaseMapped profile (RFC 7622 §3.3); throws JidError. */
export function prepareLocal(raw: string): string {
  return asciiLocal.test(raw) ? raw.toLowerCase() : prepared('localpart', raw, localName);
}

/** Prepares a domainpart: a domain name in lower case and U-labels, or an IP address (RFC 7622 §3.2); throws JidError. */
export function prepareDomain(raw: string): string {
  return prepared('domainpart', raw, domainName);
}

/** Prepares a resourcepart by the OpaqueString profile (RFC 7622 §3.4); throws JidError. */
export function prepareResource(raw: string): string {
  return asciiResource.test(raw) ? raw : prepared('resourcepart', raw, opaqueString);
}

const interned = new InternCache<Jid>(internedJids);

/** An XMPP address with prepared parts (RFC 7622). Equal addresses have equal texts: use `toString()` as the key of Maps. */
export class Jid {
  /** The localpart, '' if it has none. */
  readonly local: string;
  readonly domain: string;
  /** The resourcepart, '' if it has none. */
  readonly resource: string;
  readonly #text: string;
  #bare: Jid | undefined;
  #escaped: string | undefined;

  private constructor(text: string, localLength: number, domainLength: number) {
    const domainStart = localLength === 0 ? 0 : localLength + 1;
    const domainEnd = domainStart + domainLength;
    this.#text = text;
    this.local = text.slice(0, localLength);
    this.domain = text.slice(domainStart, domainEnd);
    this.resource = text.slice(domainEnd + 1);
  }

  /** Splits at the first '/' and the first '@' before it, and prepares every part (RFC 7622 §3.1); throws JidError. */
  static parse(text: string): Jid {
    const known = interned.get(text);
    if (known) return known;
    const jid = Jid.#split(text);
    if (jid.#text !== text) interned.set(flatCopy(text), jid);
    return jid;
  }

  static #split(text: string): Jid {
    const slash = text.indexOf('/');
    const address = slash < 0 ? text : text.slice(0, slash);
    const at = address.indexOf('@');
    const local = at < 0 ? '' : prepareLocal(address.slice(0, at));
    const domain = prepareDomain(address.slice(at + 1));
    const resource = slash < 0 ? '' : prepareResource(text.slice(slash + 1));
    return Jid.#of(local, domain, resource);
  }

  /** The address of these parts, which are prepared. '' means no such part. Throws JidError. */
  static from(local: string, domain: string, resource = ''): Jid {
    return Jid.#of(
      local === '' ? '' : prepareLocal(local),
      prepareDomain(domain),
      resource === '' ? '' : prepareResource(resource),
    );
  }

  static #of(local: string, domain: string, resource: string): Jid {
    const address = local === '' ? domain : `${local}@${domain}`;
    const text = resource === '' ? address : `${address}/${resource}`;
    const known = interned.get(text);
    if (known) return known;
    const jid = new Jid(flatCopy(text), local.length, domain.length);
    interned.set(jid.#text, jid);
    return jid;
  }

  /** The address as an attribute value in XML. Kept, because it is written with every stanza. */
  get escaped(): string {
    this.#escaped ??= escapeAttribute(this.#text);
    return this.#escaped;
  }

  /** The same address without a resourcepart. */
  bare(): Jid {
    if (this.isBare) return this;
    this.#bare ??= Jid.#of(this.local, this.domain, '');
    return this.#bare;
  }

  /** The same address with this resourcepart, which is prepared; throws JidError. */
  withResource(resource: string): Jid {
    return Jid.#of(this.local, this.domain, prepareResource(resource));
  }

  get isBare(): boolean {
    return this.resource === '';
  }

  equals(other: Jid): boolean {
    return this === other || this.#text === other.#text;
  }

  toString(): string {
    return this.#text;
  }
}
