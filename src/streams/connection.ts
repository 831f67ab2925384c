import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { Clock, Timer } from '../support/clock.ts';
import { TokenBucket } from '../support/token-bucket.ts';
import { flushAtTurnEnd } from './turn-end.ts';

/** Bounds on one connection. */
export interface ConnectionLimits {
  readonly outgoingBufferBytes: number;
  readonly writeStallMs: number;
}

/** How fast a connection may be read. */
export interface ReadRate {
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
}

/** What a connection tells the stream on top of it. */
export interface ConnectionUser {
  received(chunk: Buffer): void;
  /** The TLS handshake is done. */
  secured(): void;
  /** The connection is gone, for whatever reason; told once. */
  disconnected(): void;
}

/** Why reading may be suspended. */
type Pause = 'rate' | 'work' | 'output' | 'shutdown';

/** Bytes given to the socket at a time, so that a slow but steady reader shows progress. */
const writeChunkBytes = 64 * 1024;
/** Reading stops while this part of what may wait does wait to be written: who does not take answers may not ask. */
const congestedPart = 1 / 4;
/** How long the last bytes of a closed stream may take to leave. */
const lingerMs = 5_000;

/** One TCP connection with or without TLS: coalesced writes, back-pressure both ways, bounds. */
export class Connection {
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #pauses = new Set<Pause>();
  #user: ConnectionUser;
  #socket: Socket;
  #readRate: TokenBucket;
  #queue: (string | Buffer)[] = [];
  #queuedBytes = 0;
  #progressAtMs: number;
  #waiting: (() => void)[] = [];
  #rateTimer: Timer | undefined;
  #lingerTimer: Timer | undefined;
  /** Nothing more is taken to be written. */
  #ended = false;
  #closed = false;
  /** The peer's IP address. */
  readonly remoteAddress: string;

  constructor(socket: Socket, user: ConnectionUser, rate: ReadRate, limits: ConnectionLimits, clock: Clock) {
    this.#socket = socket;
    this.#user = user;
    this.#limits = limits;
    this.#clock = clock;
    this.#readRate = new TokenBucket(rate.bytesPerSecond, rate.burstBytes, clock);
    this.#progressAtMs = clock.monotonicMs();
    this.remoteAddress = socket.remoteAddress ?? '';
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  /** The TLS layer, if there is one. */
  get tls(): TLSSocket | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket : undefined;
  }

  /** Whether nothing more is taken to be written. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes that wait to leave. */
  get outgoingBytes(): number {
    return this.#queuedBytes + this.#socket.writableLength;
  }

  /** Whether so much waits to leave that nothing more should be asked for. */
  get congested(): boolean {
    return this.outgoingBytes > this.#limits.outgoingBufferBytes * congestedPart;
  }

  /** Lets a new rate count from now on. */
  limitReading(rate: ReadRate): void {
    this.#readRate = new TokenBucket(rate.bytesPerSecond, rate.burstBytes, this.#clock);
  }

  /**
   * Queues bytes; all of one turn of the event loop leave in one write. If too many wait the connection is lost, but
   * `disconnected` is told later: nobody is surprised by it in the middle of writing.
   */
  write(...pieces: (string | Buffer)[]): void {
    if (this.#ended) return;
    if (this.#queue.length === 0) flushAtTurnEnd(this);
    for (const piece of pieces) {
      this.#queue.push(piece);
      this.#queuedBytes += piece.length;
    }
    if (this.outgoingBytes > this.#limits.outgoingBufferBytes) this.#abort();
  }

  /** Hands everything queued to the socket now. */
  flush(): void {
    if (this.#queue.length === 0) return;
    const bytes = join(this.#queue);
    this.#empty();
    if (this.#socket.writableLength === 0) this.#progressAtMs = this.#clock.monotonicMs();
    for (let start = 0; start < bytes.length; start += writeChunkBytes) {
      this.#socket.write(bytes.subarray(start, start + writeChunkBytes), this.#wrote);
    }
    if (this.congested) this.pause('output');
  }

  /** Resolves when little waits to leave, or the connection is gone. */
  flushed(): Promise<void> {
    this.flush();
    if (this.#closed || this.outgoingBytes < writeChunkBytes) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Stops reading until every reason to pause is gone. */
  pause(reason: Pause): void {
    this.#pauses.add(reason);
    this.#socket.pause();
  }

  resume(reason: Pause): void {
    if (this.#pauses.delete(reason) && this.#pauses.size === 0 && !this.#closed) this.#socket.resume();
  }

  /** Puts TLS on the connection; `secured` is told when the handshake is done. */
  startTls(options: TLSSocketOptions): void {
    this.flush();
    const plain = this.#socket;
    plain.removeAllListeners('data');
    plain.removeAllListeners('close');
    plain.on('close', () => this.destroy());
    const secure = new TLSSocket(plain, { ...options, isServer: true });
    this.#socket = secure;
    secure.once('secure', () => {
      if (!this.#closed) this.#user.secured();
    });
    // Node reports a failed handshake of a server-side TLSSocket by this event alone, and leaves the socket open.
    secure.on('_tlsError', () => this.destroy());
    this.#listen(secure);
    if (this.#pauses.size > 0) secure.pause();
  }

  /** Closes after what is queued has left; takes nothing more. */
  end(): void {
    if (this.#ended) return;
    this.flush();
    this.#ended = true;
    // The peer's own end must be seen.
    this.resume('shutdown');
    this.#socket.end();
    this.#lingerTimer = this.#clock.after(lingerMs, () => this.destroy());
  }

  /** Closes at once. */
  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rateTimer?.cancel();
    this.#lingerTimer?.cancel();
    this.#abort();
    this.#wakeWaiting();
    this.#user.disconnected();
  }

  /** Destroys a connection whose peer has taken nothing for too long. */
  checkStall(nowMs: number): void {
    if (this.#socket.writableLength > 0 && nowMs - this.#progressAtMs > this.#limits.writeStallMs) this.destroy();
  }

  #abort(): void {
    this.#ended = true;
    this.#empty();
    this.#socket.destroy();
  }

  #empty(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('error', () => this.destroy());
    socket.on('close', () => this.destroy());
  }

  #received(chunk: Buffer): void {
    if (this.#closed) return;
    const waitMs = this.#readRate.takeInDebt(chunk.length);
    if (waitMs > 0) {
      this.pause('rate');
      this.#rateTimer?.cancel();
      this.#rateTimer = this.#clock.after(waitMs, () => this.resume('rate'));
    }
    this.#user.received(chunk);
  }

  readonly #wrote = (): void => {
    this.#progressAtMs = this.#clock.monotonicMs();
    if (this.#socket.writableLength >= writeChunkBytes) return;
    this.resume('output');
    this.#wakeWaiting();
  };

  #wakeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

function join(pieces: readonly (string | Buffer)[]): Buffer {
  let bytes = 0;
  for (const piece of pieces) bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  const whole = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') at += whole.write(piece, at);
    else {
      whole.set(piece, at);
      at += piece.length;
    }
  }
  return whole;
}
