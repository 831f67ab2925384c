import { isIP } from 'node:net';

/** A header of the PROXY protocol. */
interface ProxyHeader {
  /** Bytes of the header. */
  readonly length: number;
  /** The address of the client. Undefined if the proxy speaks for itself, or names none. */
  readonly address: string | undefined;
}

/** Why there is no header yet: bytes are missing, or the bytes cannot begin one. */
type NoProxyHeader = 'incomplete' | 'invalid';

const signature1 = Buffer.from('PROXY ');
/** With the CRLF, as the specification of version 1 demands of a reader. */
const longest1 = 107;
const signature2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixed2 = 16;
/** Bytes behind the fixed part of version 2: the addresses, and what proxies add to them. */
const mostAdded = 1024;
const version2 = 2;
const commands = { local: 0, proxy: 1 } as const;
/** Address family and transport: any, TCP over IPv4, TCP over IPv6, a Unix socket. */
const families = { unspecified: 0x00, tcp4: 0x11, tcp6: 0x21, unix: 0x31 } as const;
/** How an IPv4 address begins in the form of IPv6 (RFC 4291 §2.5.5.2). */
const mapped = Buffer.from('00000000000000000000ffff', 'hex');
/** Bytes of both addresses and both ports. */
const lengths: ReadonlyMap<number, number> = new Map([
  [families.unspecified, 0],
  [families.tcp4, 12],
  [families.tcp6, 36],
  [families.unix, 216],
]);

/** Reads the header at the start of a connection, in version 1 or 2 (haproxy.org, proxy-protocol.txt). */
export function readProxyHeader(bytes: Buffer): ProxyHeader | NoProxyHeader {
  if (begins(bytes, signature2)) return bytes.length < fixed2 ? 'incomplete' : readVersion2(bytes);
  if (begins(bytes, signature1)) return readVersion1(bytes);
  return 'invalid';
}

/** Whether the bytes begin with a text, or are the beginning of it. */
function begins(bytes: Buffer, text: Buffer): boolean {
  const length = Math.min(bytes.length, text.length);
  return bytes.subarray(0, length).equals(text.subarray(0, length));
}

function readVersion1(bytes: Buffer): ProxyHeader | NoProxyHeader {
  const end = bytes.subarray(0, longest1).indexOf('\r\n');
  if (end < 0) return bytes.length < longest1 ? 'incomplete' : 'invalid';
  const length = end + 2;
  const [, protocol, ...rest] = bytes.toString('latin1', 0, end).split(' ');
  if (protocol === 'UNKNOWN') return { length, address: undefined };
  const [source = '', destination = '', ...ports] = rest;
  const version = protocol === 'TCP4' ? 4 : 6;
  const isRight =
    (protocol === 'TCP4' || protocol === 'TCP6') &&
    isIP(source) === version &&
    isIP(destination) === version &&
    ports.length === 2 &&
    ports.every((port) => /^(?:0|[1-9]\d{0,4})$/.test(port) && Number(port) <= 0xffff);
  return isRight ? { length, address: source } : 'invalid';
}

function readVersion2(bytes: Buffer): ProxyHeader | NoProxyHeader {
  const version = bytes.readUInt8(12) >> 4;
  const command = bytes.readUInt8(12) & 0x0f;
  const family = bytes.readUInt8(13);
  const added = bytes.readUInt16BE(14);
  const needed = lengths.get(family);
  const isKnown = command === commands.local || command === commands.proxy;
  if (version !== version2 || !isKnown || added > mostAdded) return 'invalid';
  // The addresses of a connection that the proxy itself has opened mean nothing.
  if (command === commands.proxy && (needed === undefined || added < needed)) return 'invalid';
  const length = fixed2 + added;
  if (bytes.length < length) return 'incomplete';
  return { length, address: command === commands.proxy ? addressIn(bytes, family) : undefined };
}

function addressIn(bytes: Buffer, family: number): string | undefined {
  if (family === families.tcp4) return ipv4At(bytes, fixed2);
  if (family !== families.tcp6) return undefined;
  if (begins(bytes.subarray(fixed2), mapped)) return ipv4At(bytes, fixed2 + mapped.length);
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(fixed2 + 2 * index).toString(16));
  return groups.join(':');
}

function ipv4At(bytes: Buffer, at: number): string {
  return bytes.subarray(at, at + 4).join('.');
}
