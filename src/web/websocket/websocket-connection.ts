import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { OutputLevel, writeInChunks } from '../../streams/output-level.ts';
import type { Pieces } from '../../streams/pieces.ts';
import { ReadControl } from '../../streams/read-control.ts';
import type {
  ConnectionLimits,
  ConnectionUser,
  Pause,
  ReadRate,
  StreamConnection,
} from '../../streams/stream-connection.ts';
import { flushAtTurnEnd, readHandled } from '../../streams/turn-end.ts';
import type { Clock, Timer } from '../../support/clock.ts';
import type { ChannelBinding } from '../../tls/channel-binding.ts';
import { textFrames } from './text-frames.ts';

/** Limits of one WebSocket. */
export interface WebSocketLimits extends ConnectionLimits {
  /** The read rate until the client has authenticated. */
  readonly rate: ReadRate;
  /** Bytes of a message until the client has authenticated. */
  readonly unauthenticatedBytes: number;
  /** From the first byte of a message to its last one. */
  readonly completionMs: number;
}

/** What a WebSocket connection needs besides its socket and its user. */
interface WebSocketConnectionDeps {
  readonly remoteAddress: string;
  readonly secure: boolean;
  readonly limits: WebSocketLimits;
  readonly clock: Clock;
}

/** RFC 6455 §7.4.1. */
const closeCodes = { normal: 1000, unsupportedData: 1003, policyViolation: 1008 } as const;
/** Bytes before the data of a client's control frame: two and the mask (RFC 6455 §5.2). */
const controlHeaderBytes = 6;
/** Without a byte for so long the client gets a ping (RFC 7395 §3.8): browsers send none, and proxies close idle connections after 60 s. */
const pingAfterMs = 45_000;
/** Pings without any answer after which the connection is gone. */
const maxUnansweredPings = 2;
/** Time allowed for the last messages and the closing handshake (RFC 6455 §7.1.1). */
const lingerMs = 5000;

/** The connection of a client through a WebSocket (RFC 7395). Each write is one message. */
export class WebSocketConnection implements StreamConnection {
  readonly remoteAddress: string;
  readonly secure: boolean;
  /** TLS may end at a proxy. */
  readonly channelBindings: readonly ChannelBinding[] = [];
  readonly #socket: WebSocket;
  /** The connection below the WebSocket. */
  readonly #carrier: Duplex;
  readonly #user: ConnectionUser;
  readonly #limits: WebSocketLimits;
  readonly #clock: Clock;
  readonly #reading: ReadControl;
  readonly #output: OutputLevel;
  #lingerTimer: Timer | undefined;
  /** Messages in pieces. */
  #queue: Pieces[] | undefined;
  #queuedBytes = 0;
  /** Bytes given to the connection below, and how many of them had left at the last check. */
  #givenBytes = 0;
  #goneBytes = 0;
  #progressAtMs: number;
  #trusted = false;
  /** Bytes of a message that is not complete, and when they began to come. */
  #partialBytes = 0;
  #partialSinceMs = 0;
  #readAtMs: number;
  #pings = 0;
  /** Further writes are ignored. */
  #ended = false;
  #closed = false;

  constructor(socket: WebSocket, carrier: Duplex, user: ConnectionUser, deps: WebSocketConnectionDeps) {
    const { remoteAddress, secure, limits, clock } = deps;
    this.#socket = socket;
    this.#carrier = carrier;
    this.#user = user;
    this.#limits = limits;
    this.#clock = clock;
    this.#output = new OutputLevel(limits);
    this.remoteAddress = remoteAddress;
    this.secure = secure;
    this.#reading = new ReadControl(limits.rate, clock, { stop: () => socket.pause(), start: () => socket.resume() });
    this.#progressAtMs = clock.monotonicMs();
    this.#readAtMs = this.#progressAtMs;
    // Before the listener of the WebSocket, so that the bytes of a message are counted before it ends.
    carrier.prependListener('data', this.#countRead);
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#received(data, isBinary));
    for (const control of ['ping', 'pong'] as const) socket.on(control, (data: Buffer) => this.#discount(data));
    socket.on('close', () => this.#gone());
    // The WebSocket closes itself, with the code of the fault.
    socket.on('error', () => this.#linger());
  }

  get ended(): boolean {
    return this.#ended;
  }

  get outgoingBytes(): number {
    return this.#queuedBytes + this.#carrier.writableLength;
  }

  get sentBytes(): number {
    return this.#givenBytes;
  }

  get congested(): boolean {
    return this.#output.isHigh(this.outgoingBytes);
  }

  limitReading(rate: ReadRate): void {
    this.#trusted = true;
    this.#reading.limit(rate);
  }

  write(...pieces: (string | Buffer)[]): void {
    if (this.#ended) return;
    for (const piece of pieces) this.#queuedBytes += piece.length;
    if (this.#queue) this.#queue.push(pieces);
    else {
      this.#queue = [pieces];
      flushAtTurnEnd(this);
    }
    if (this.#output.isTooHigh(this.outgoingBytes)) this.#abort();
  }

  /** Hands everything queued to the connection below. The WebSocket would make two writes of each message. */
  flush(): void {
    const messages = this.#queue;
    if (messages === undefined) return;
    this.#empty();
    // After its close frame a WebSocket sends no messages (RFC 6455 §5.5.1).
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const bytes = textFrames(messages);
    this.#givenBytes += bytes.length;
    // Only large output needs a callback.
    const watched = !this.#output.isLow(this.outgoingBytes + bytes.length);
    writeInChunks(this.#carrier, bytes, watched ? this.#wrote : undefined);
    if (this.congested) this.pause('output');
  }

  flushed(): Promise<void> {
    this.flush();
    return this.#closed || this.#output.isLow(this.outgoingBytes) ? Promise.resolve() : this.#output.wait();
  }

  pause(reason: Pause): void {
    this.#reading.pause(reason);
  }

  resume(reason: Pause): void {
    this.#reading.resume(reason);
  }

  startTls(): never {
    throw new Error('TLS of a WebSocket starts below it');
  }

  end(): void {
    if (this.#ended) return;
    this.flush();
    this.#ended = true;
    this.#close(closeCodes.normal);
  }

  destroy(): void {
    if (this.#closed) return;
    this.#abort();
    this.#gone();
  }

  checkStall(nowMs: number): void {
    const { writeStallMs, completionMs } = this.#limits;
    const { writableLength } = this.#carrier;
    const goneBytes = this.#givenBytes - writableLength;
    if (writableLength === 0 || goneBytes !== this.#goneBytes) this.#progressAtMs = nowMs;
    this.#goneBytes = goneBytes;
    if (nowMs - this.#progressAtMs > writeStallMs) return this.destroy();
    if (this.#partialBytes > 0 && !this.#reading.paused && nowMs - this.#partialSinceMs > completionMs)
      return this.#refuse(closeCodes.policyViolation);
    this.#ping(nowMs);
  }

  #ping(nowMs: number): void {
    if (this.#ended || this.#reading.paused || nowMs - this.#readAtMs < pingAfterMs * (this.#pings + 1)) return;
    if (this.#pings === maxUnansweredPings) return this.destroy();
    this.#pings += 1;
    this.#socket.ping();
  }

  readonly #countRead = ({ length }: Buffer): void => {
    this.#readAtMs = this.#clock.monotonicMs();
    this.#pings = 0;
    if (this.#partialBytes === 0) this.#partialSinceMs = this.#readAtMs;
    this.#partialBytes += length;
    if (!this.#trusted && this.#partialBytes > this.#limits.unauthenticatedBytes)
      this.#refuse(closeCodes.policyViolation);
    this.#reading.count(length);
  };

  /** A control frame is no part of a message. */
  #discount(data: Buffer): void {
    this.#partialBytes = Math.max(0, this.#partialBytes - controlHeaderBytes - data.length);
  }

  #received(data: Buffer, isBinary: boolean): void {
    this.#partialBytes = 0;
    if (this.#closed) return;
    if (isBinary) return this.#refuse(closeCodes.unsupportedData);
    this.#user.received(data);
    readHandled();
  }

  readonly #wrote = (): void => {
    if (this.#closed || !this.#output.isLow(this.#carrier.writableLength)) return;
    this.resume('output');
    this.#output.wake();
  };

  /** Ends the connection because of what the client does below XMPP. */
  #refuse(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#close(code);
  }

  #close(code: number): void {
    this.#socket.close(code);
    // Reading must continue to see the closing handshake of the client.
    this.#reading.end();
    this.#socket.resume();
    this.#linger();
  }

  /** Gives the client some time for the closing handshake. */
  #linger(): void {
    this.#ended = true;
    this.#lingerTimer ??= this.#clock.after(lingerMs, () => this.destroy());
  }

  #abort(): void {
    this.#ended = true;
    this.#empty();
    this.#socket.terminate();
  }

  #empty(): void {
    this.#queue = undefined;
    this.#queuedBytes = 0;
  }

  #gone(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended = true;
    this.#reading.end();
    this.#lingerTimer?.cancel();
    this.#output.wake();
    this.#user.disconnected();
  }
}
