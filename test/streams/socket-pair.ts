import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';

/** Both ends of a loopback connection. The far end stays open until the test closes it. */
export interface SocketPair {
  readonly near: Socket;
  readonly far: Socket;
}

/** Loopback connections for the tests of one `describe`, closed after each. */
export class SocketPairs {
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  constructor() {
    before(async () => {
      this.#server = createServer().listen(0, '127.0.0.1');
      await once(this.#server, 'listening');
    });
    afterEach(() => {
      for (const socket of this.#sockets) socket.destroy();
      this.#sockets.clear();
    });
    after(() => this.#server?.close());
  }

  async open(): Promise<SocketPair> {
    if (!this.#server) throw new Error('not listening');
    const { port } = this.#server.address() as AddressInfo;
    const far = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    const [near] = (await once(this.#server, 'connection')) as [Socket];
    if (far.connecting) await once(far, 'connect');
    for (const socket of [near, far]) this.#sockets.add(socket);
    far.on('error', () => far.destroy());
    return { near, far };
  }
}

/** Notes every call of a socket's `write`; the answer grows. */
export function writesOf(socket: Socket): number[] {
  const sizes: number[] = [];
  Object.defineProperty(socket, 'write', {
    writable: true,
    value(this: Socket, chunk: Buffer, ...rest: []) {
      sizes.push(chunk.length);
      return Socket.prototype.write.call(this, chunk, ...rest);
    },
  });
  return sizes;
}

/** Collects what a socket receives until it has `length` bytes. */
export async function received(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const take = (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= length) resolve();
  };
  const gone = () => reject(new Error(`the connection ended after ${size} of ${length} bytes`));
  socket.on('data', take).on('end', gone).resume();
  try {
    await promise;
  } finally {
    socket.off('data', take).off('end', gone);
  }
  return Buffer.concat(chunks);
}

/** A turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
