// Forwards bytes between pairs of connections, or messages between pairs of WebSockets. A connection says first which it is:
// "R <pair> s" or "R <pair> r". Run with: PLAIN-PORT TLS-PORT HTTPS-PORT CERTIFICATE KEY
import { readFileSync } from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';

/** One of two connections that belong together. */
interface Half {
  /** Calls back with the first bytes. */
  first(take: (bytes: Buffer) => void): void;
  /** Calls back with all bytes from now on. */
  each(take: (bytes: Buffer) => void): void;
  write(bytes: Buffer | string): void;
}

const [plainPort, tlsPort, httpsPort, certificate = '', key = ''] = process.argv.slice(2);
const halves = new Map<string, Half>();

function accept(half: Half): void {
  half.first((bytes) => pair(half, bytes.toString()));
}

function pair(half: Half, greeting: string): void {
  const [, number, role] = greeting.trim().split(' ');
  const awaited = `${number} ${role === 'r' ? 's' : 'r'}`;
  const other = halves.get(awaited);
  if (!other) return void halves.set(`${number} ${role}`, half);
  halves.delete(awaited);
  join(half, other);
}

function join(a: Half, b: Half): void {
  a.each((bytes) => b.write(bytes));
  b.each((bytes) => a.write(bytes));
  a.write('<ok/>');
  b.write('<ok/>');
}

function acceptSocket(socket: net.Socket): void {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  accept({
    first: (take) => socket.once('data', take),
    each: (take) => socket.on('data', take),
    write: (bytes) => socket.write(bytes),
  });
}

function acceptWebSocket(socket: WebSocket): void {
  socket.on('error', () => socket.terminate());
  accept({
    first: (take) => socket.once('message', take),
    each: (take) => socket.on('message', take),
    write: (bytes) => socket.send(bytes, { binary: false }),
  });
}

const listen = { host: '127.0.0.1', backlog: 4096 };
const context = { cert: readFileSync(certificate), key: readFileSync(key) };
net.createServer(acceptSocket).listen({ ...listen, port: Number(plainPort) });
tls.createServer(context, acceptSocket).listen({ ...listen, port: Number(tlsPort) });
const web = https.createServer(context).listen({ ...listen, port: Number(httpsPort) });
new WebSocketServer({ server: web, perMessageDeflate: false }).on('connection', acceptWebSocket);
