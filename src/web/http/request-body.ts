import type { IncomingMessage } from 'node:http';
import { HttpError, type HttpRoute } from '../../routing/http-route.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import type { TurnBudget } from '../../support/turn-budget.ts';

/** Bytes of a body that are read before other requests and streams have their turn. */
export const pieceBytes = 65_536;

/** How a body is read. */
interface BodyReading {
  /** Time for the whole body, or for as many bytes as the route demands of slow clients. */
  readonly requestMs: number;
  readonly clock: Pick<Clock, 'after'>;
  /** Shared by everything that moves much through the listener. */
  readonly turns: Pick<TurnBudget, 'take'>;
  /** Tells a client that waits for it that the body is wanted (RFC 9110 §10.1.1). */
  readonly proceed: () => void;
}

type BodyRoute = Pick<HttpRoute, 'bodyBytes' | 'leastBytesPerSecond'>;

/**
 * Reads the body of a request. The chunks are as they came: joining them would cost memory. Throws `HttpError` with 413 if the body is longer
 * than the route allows, and with 408 if it comes too slowly. The connection stays usable for the answer.
 */
export async function* requestBody(
  request: IncomingMessage,
  route: BodyRoute,
  reading: BodyReading,
): AsyncGenerator<Buffer> {
  const { bodyBytes = 0 } = route;
  reading.proceed();
  const pace = new Pace(route, reading);
  const chunks: Buffer[] = [];
  let unreadBytes = 0;
  const take = (chunk: Buffer) => {
    chunks.push(chunk);
    unreadBytes += chunk.length;
    if (unreadBytes >= pieceBytes) request.pause();
  };
  const wake = () => pace.wake();
  request.on('data', take);
  const events = ['data', 'end', 'close', 'error'] as const;
  for (const event of events) request.on(event, wake);
  try {
    for (;;) {
      for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) {
        pace.count(chunk.length);
        if (pace.bytes > bodyBytes) throw new HttpError(413);
        yield chunk;
      }
      if (request.readableEnded) return;
      if (request.destroyed) throw request.errored ?? new Error('the client has left');
      if (request.isPaused()) {
        await reading.turns.take(unreadBytes);
        unreadBytes = 0;
        request.resume();
      } else await pace.wait();
    }
  } finally {
    pace.end();
    request.off('data', take);
    for (const event of events) request.off(event, wake);
  }
}

/** Waits for bytes, until they come too slowly. */
class Pace {
  readonly #leastBytes: number;
  readonly #reading: BodyReading;
  #bytes = 0;
  #bytesAtCheck = 0;
  #late = false;
  #timer: Timer;
  #waiting: (() => void) | undefined;

  constructor({ leastBytesPerSecond = Number.POSITIVE_INFINITY }: BodyRoute, reading: BodyReading) {
    this.#leastBytes = (leastBytesPerSecond * reading.requestMs) / 1000;
    this.#reading = reading;
    this.#timer = this.#start();
  }

  /** Bytes that have come. */
  get bytes(): number {
    return this.#bytes;
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Resolves when something has happened. Rejects with 408 when the body is late. */
  async wait(): Promise<void> {
    if (!this.#late) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    if (this.#late) throw new HttpError(408);
  }

  wake(): void {
    this.#waiting?.();
  }

  end(): void {
    this.#timer.cancel();
  }

  #start(): Timer {
    const { clock, requestMs } = this.#reading;
    return clock.after(requestMs, () => this.#check());
  }

  #check(): void {
    if (this.#bytes - this.#bytesAtCheck < this.#leastBytes) {
      this.#late = true;
      return this.wake();
    }
    this.#bytesAtCheck = this.#bytes;
    this.#timer = this.#start();
  }
}
