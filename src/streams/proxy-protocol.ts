import type { Socket } from 'node:net';
import type { Clock } from '../support/clock.ts';
import { readProxyHeader } from './proxy-header.ts';

/** Time for the header: the proxy sends it with the first bytes. */
const headerMs = 5000;

/** The addresses of clients behind proxies, by their sockets. */
const clients = new WeakMap<Socket, string>();

/** The address of the client of a connection; '' if it is gone. An IPv4 address has no prefix for IPv6. */
export function clientAddressOf(socket: Socket): string {
  const address = clients.get(socket) ?? socket.remoteAddress ?? '';
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** Notes the address of the client of a connection, for a layer above its socket, too. */
export function noteClientAddress(socket: Socket, address: string): void {
  clients.set(socket, address);
}

/**
 * Reads the header of a connection, and notes the address in it. Then calls `ready`; the bytes behind the header are still to be read.
 * Without a right header in time the connection is closed.
 */
export function awaitProxyHeader(socket: Socket, clock: Pick<Clock, 'after'>, ready: () => void): void {
  const deadline = clock.after(headerMs, () => socket.destroy());
  let seen: Buffer = Buffer.alloc(0);
  const fail = () => void socket.destroy();
  const read = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const header = readProxyHeader(seen);
    if (header === 'incomplete') return;
    if (header === 'invalid') return fail();
    deadline.cancel();
    socket.off('data', read);
    socket.off('error', fail);
    // On a flowing socket the bytes that are put back would be lost.
    socket.pause();
    if (seen.length > header.length) socket.unshift(seen.subarray(header.length));
    if (header.address !== undefined) noteClientAddress(socket, header.address);
    ready();
  };
  socket.on('error', fail);
  socket.once('close', () => deadline.cancel());
  socket.on('data', read);
  socket.resume();
}
