import { connect, type Socket } from 'node:net';
import { headerFor } from '../support/test-client.ts';

// Opens many connections in its own process: `<port> <connections> <addresses>`. Each comes from an address from 127.0.0.2 on, and
// opens a stream. Prints how many were served and how many refused, then `gone` when the server has closed them all.
const [, , port = '', connections = '', addresses = ''] = process.argv;

const total = Number(connections);
let served = 0;
let refused = 0;
let open = 0;

function settle(): void {
  if (served + refused === total) process.stdout.write(`settled ${JSON.stringify({ served, refused })}\n`);
}

function begin(index: number): Socket {
  const localAddress = `127.0.0.${2 + (index % Number(addresses))}`;
  const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress });
  let answered = false;
  socket.on('connect', () => socket.write(headerFor('localhost')));
  socket.once('data', () => {
    answered = true;
    served += 1;
    open += 1;
    settle();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    if (answered) open -= 1;
    else refused += 1;
    if (!answered) settle();
    if (served + refused === total && open === 0) process.stdout.write('gone\n');
  });
  return socket;
}

for (let index = 0; index < total; index++) begin(index);
