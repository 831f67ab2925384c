import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** How a line treats what it carries. */
export interface Shape {
  /** Bytes in one write; all there are unless given. */
  readonly piece?: number;
  /** The longest that a write may be late. */
  readonly jitterMs?: number;
  /** The line breaks when the client has sent this many bytes. */
  readonly breaksAfter?: number;
}

/** One connection of a client, both its halves. */
class Line {
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #shape: Shape;
  /** How much more the client can send before the line breaks. */
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

  /** Carries nothing any more and tells nobody, as a radio cell does that was left. */
  freezes(): void {
    for (const socket of [this.#near, this.#far]) socket.removeAllListeners('data').pause();
  }

  /** Ends when the client has sent so many bytes more. */
  breaksIn(bytes: number): void {
    this.#left = bytes;
  }

  /** Ends with RST, both ways. */
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

/** A bad network between clients and a server. */
export class BadNetwork {
  readonly #server: Server;
  readonly #lines: Line[] = [];
  /** What lines are like that are opened from now on. */
  shape: Shape = {};

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Opens a port that leads to another. */
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

  /** All that is connected stays so, and nothing comes through any more. */
  freezes(): void {
    for (const line of this.#lines) line.freezes();
  }

  /** All connections end with RST when their clients have sent so many bytes more. */
  breaksIn(bytes: number): void {
    for (const line of this.#lines) line.breaksIn(bytes);
  }

  /** All connections end with RST. */
  breaks(): void {
    for (const line of this.#lines.splice(0)) line.breaks();
  }

  close(): void {
    this.breaks();
    this.#server.close();
  }
}
