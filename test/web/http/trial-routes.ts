import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { HttpError, type HttpRequest, type HttpRoute } from '../../../src/routing/http-route.ts';

/** Answers with what it was asked: a whole route is one value. */
export const echo: HttpRoute = {
  methods: ['GET', 'PUT'],
  path: '/echo/:token',
  bodyBytes: 10,
  origins: ['*'],
  async handle({ method, parameters, query, body, secure }) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    const seen = { method, parameters, query: query.get('q'), body: Buffer.concat(chunks).toString(), secure };
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(seen) };
  },
};

/** A literal path beside the pattern. */
export const literal: HttpRoute = {
  methods: ['GET'],
  path: '/echo/literal',
  handle: () => ({ status: 200, headers: { 'cache-control': 'max-age=60' }, body: Readable.from(['lite', 'ral']) }),
};

export const failing: HttpRoute = {
  methods: ['GET'],
  path: '/fails/:how',
  handle: ({ parameters: { how } }) => {
    throw how === 'gone' ? new HttpError(410) : new Error('a fault of the route');
  },
};

/** Takes connections over and sends back every byte. */
export const upgrading: HttpRoute = {
  methods: ['GET'],
  path: '/upgrade',
  handle: () => ({ status: 426, headers: { upgrade: 'echo' } }),
  upgrade: (_request, socket, firstBytes) => {
    const { timeout } = socket as Socket;
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nTimeout: ${timeout}\r\n\r\n`,
    );
    socket.write(firstBytes);
    socket.pipe(socket);
  },
};

/** Has an answer for pages of one origin. */
export const choosy: HttpRoute = {
  methods: ['POST'],
  path: '/choosy',
  origins: ['https://chat.example'],
  handle: () => ({ status: 204 }),
};

/** A route whose requests stay open until they are released. */
export class HeldRoute implements HttpRoute {
  readonly methods = ['GET'] as const;
  readonly path = '/held';
  readonly silenceMs = 60_000;
  readonly lost = Promise.withResolvers<void>();
  readonly #arrived = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();

  /** Resolves when a request has arrived. */
  get arrived(): Promise<void> {
    return this.#arrived.promise;
  }

  release(): void {
    this.#released.resolve();
  }

  readonly handle = async ({ whenLost }: HttpRequest) => {
    const forget = whenLost(this.lost.resolve);
    this.#arrived.resolve();
    await Promise.race([this.#released.promise, this.lost.promise]);
    forget();
    return { status: 200, body: 'released' };
  };
}

/** Shows each part of a body as it is read. */
export class ReadingRoute implements HttpRoute {
  readonly methods = ['PUT'] as const;
  readonly path = '/reads';
  readonly bodyBytes: number;
  readonly leastBytesPerSecond: number;
  readonly #parts: string[] = [];
  #wake = () => {};

  constructor({ bodyBytes, leastBytesPerSecond }: Required<Pick<HttpRoute, 'bodyBytes' | 'leastBytesPerSecond'>>) {
    this.bodyBytes = bodyBytes;
    this.leastBytesPerSecond = leastBytesPerSecond;
  }

  /** Resolves with the next part that was read. */
  async next(): Promise<string> {
    while (this.#parts.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#parts.shift() ?? '';
  }

  readonly handle = async ({ body }: HttpRequest) => {
    for await (const part of body) {
      this.#parts.push(part.toString());
      this.#wake();
    }
    return { status: 200 };
  };
}

/** Sends large chunks, each in the same memory: the first is full of "0", and so on. */
export class RepeatingRoute implements HttpRoute {
  readonly methods = ['GET'] as const;
  readonly path = '/repeats';
  readonly ended = Promise.withResolvers<void>();

  readonly handle = () => ({ status: 200, body: this.#chunks() });

  async *#chunks(): AsyncGenerator<Buffer> {
    const memory = Buffer.alloc(RepeatingRoute.chunkBytes);
    try {
      for (let chunk = 0; chunk < RepeatingRoute.chunks; chunk++) yield memory.fill(String(chunk % 10));
    } finally {
      this.ended.resolve();
    }
  }

  static readonly chunkBytes = 65_536;
  static readonly chunks = 200;
}
