import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** How a connection treats its data. */
export interface Shape {
  /** The size of one write, in bytes. By default all available bytes. */
  readonly piece?: number;
  /** The longest delay of a write. */
  readonly jitterMs?: number;
  /** The connection breaks when the client has sent this many bytes. */
  readonly breaksAfter?: number;
}

/** One forwarded connection: to the client and to the server. */
class Line {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #shape: Shape;
  /** How many more bytes the client can send before the connection breaks. */
  #left: number;

  constructor(near: Socket, far: Socket, shape: Shape) {
    this.#near = near;
    this.#far = far;
    this.#shape = shape;
    this.#left = shape.breaksAfter ?? Number.POSITIVE_INFINITY;
    this.#carry(near, far);
    this.#carry(far, near);
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.breaks());
      socket.on('close', () => this.breaks());
    }
  }

  /** Stops forwarding without closing anything, like a phone that leaves its radio cell. */
  freezes(): void {
    for (const socket of [this.#near, this.#far]) socket.removeAllListeners('data').pause();
  }

  /** Breaks when the client has sent this many more bytes. */
  breaksIn(bytes: number): void {
    this.#left = bytes;
  }

  /** Resets both sides. */
  breaks(): void {
    for (const socket of [this.#near, this.#far]) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #carry(from: Socket, to: Socket): void {
    let order = Promise.resolve();
    from.on('data', (chunk) => {
      order = order.then(() => this.#pass(chunk, from, to));
    });
    from.on('end', () => {
      order = order.then(() => void to.end());
    });
  }

  async #pass(chunk: Buffer, from: Socket, to: Socket): Promise<void> {
    const { piece = chunk.length, jitterMs = 0 } = this.#shape;
    for (let start = 0; start < chunk.length; ) {
      if (jitterMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * jitterMs));
      const counts = from === this.#near;
      const bytes = chunk.subarray(start, start + Math.min(piece, counts ? this.#left : piece));
      start += bytes.length;
      if (counts) this.#left -= bytes.length;
      if (to.destroyed) return;
      await new Promise((resolve) => to.write(bytes, resolve));
      if (this.#left <= 0) return this.breaks();
    }
  }
}

/** A proxy between clients and a server that behaves like a bad network. */
export class BadNetwork {
  readonly #server: Server;
  readonly #lines: Line[] = [];
  /** The shape of connections opened from now on. */
  shape: Shape = {};

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Listens on a port and forwards to another. */
  static async to(port: number): Promise<BadNetwork> {
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true });
    const network = new BadNetwork(server);
    server.on('connection', (near) => {
      const far = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
      far.on('error', () => near.destroy());
      far.on('connect', () => {
        network.#lines.push(new Line(near, far, network.shape));
        near.resume();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops forwarding on all connections without closing them. */
  freezes(): void {
    for (const line of this.#lines) line.freezes();
  }

  /** Resets all connections when their clients have sent this many more bytes. */
  breaksIn(bytes: number): void {
    for (const line of this.#lines) line.breaksIn(bytes);
  }

  /** Resets all connections. */
  breaks(): void {
    for (const line of this.#lines.splice(0)) line.breaks();
  }

  close(): void {
    this.breaks();
    this.#server.close();
  }
}
