// Forwards bytes between pairs of connections. A connection says first which it is: "R <pair> s" or "R <pair> r".
// Run with: PLAIN-PORT TLS-PORT CERTIFICATE KEY
import { readFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

const [plainPort, tlsPort, certificate = '', key = ''] = process.argv.slice(2);
const halves = new Map<string, net.Socket>();

function join(a: net.Socket, b: net.Socket): void {
  a.on('data', (bytes) => b.write(bytes));
  b.on('data', (bytes) => a.write(bytes));
  a.write('<ok/>');
  b.write('<ok/>');
}

function pair(socket: net.Socket, greeting: string): void {
  const [, number, role] = greeting.trim().split(' ');
  const other = halves.get(`${number} ${role === 'r' ? 's' : 'r'}`);
  if (other) join(socket, other);
  else halves.set(`${number} ${role}`, socket);
}

function accept(socket: net.Socket): void {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.once('data', (bytes) => pair(socket, bytes.toString()));
}

const listen = { host: '127.0.0.1', backlog: 4096 };
net.createServer(accept).listen({ ...listen, port: Number(plainPort) });
const context = { cert: readFileSync(certificate), key: readFileSync(key) };
tls.createServer(context, accept).listen({ ...listen, port: Number(tlsPort) });
