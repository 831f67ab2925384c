import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { clientAddressOf } from '../../streams/proxy-protocol.ts';
import { isIn } from '../../support/network-list.ts';

/** The client of a request. */
interface HttpClient {
  readonly remoteAddress: string;
  /** Whether TLS protects its connection. */
  readonly secure: boolean;
}

/** The client of a request: the peer of the connection, or, if that is a trusted proxy, the one that the proxy names. */
export function clientOf(
  { socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>,
  trusted: BlockList,
): HttpClient {
  const peer = clientAddressOf(socket);
  if (!isIn(trusted, peer)) return { remoteAddress: peer, secure: isEncrypted(socket) };
  const proto = lastOf(headers['x-forwarded-proto']);
  return {
    remoteAddress: firstUntrusted(listOf(headers['x-forwarded-for']), trusted) ?? peer,
    secure: proto === undefined ? isEncrypted(socket) : proto.toLowerCase() === 'https',
  };
}

/** An IPv4 address without the prefix that it has on an IPv6 socket. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** Each proxy appends the address of its peer, so whatever stands before an address that is not a proxy may be forged. */
function firstUntrusted(addresses: readonly string[], trusted: BlockList): string | undefined {
  const named = addresses.toReversed().find((address) => !isIn(trusted, plainAddress(address)));
  return named === undefined || isIP(plainAddress(named)) === 0 ? undefined : plainAddress(named);
}

function listOf(header: string | string[] | undefined): readonly string[] {
  return [header ?? []]
    .flat()
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

function lastOf(header: string | string[] | undefined): string | undefined {
  return listOf(header).at(-1);
}

function isEncrypted(socket: Socket): boolean {
  return (socket as Partial<TLSSocket>).encrypted === true;
}
