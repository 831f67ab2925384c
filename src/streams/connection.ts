import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type Clock, systemClock, type Timer } from '../support/clock.ts';
import { TokenBucket } from '../support/token-bucket.ts';
import { TurnBudget } from '../support/turn-budget.ts';
import { type ChannelBinding, channelBindingsOf, forgetChannelBindings } from '../tls/channel-binding.ts';
import type { LayTls, TlsHandshake } from '../tls/tls-options.ts';
import { skipSpace } from '../xml/char-class.ts';
import { OutputLevel, writeInChunks } from './output-level.ts';
import { joinPieces } from './pieces.ts';
import { clientAddressOf } from './proxy-protocol.ts';
import type { ConnectionLimits, ConnectionUser, Pause, PeerConnection, ReadRate } from './stream-connection.ts';
import { flushAtTurnEnd, readHandled } from './turn-end.ts';

/** Dependencies of {@link Connection}, besides its socket and its user. */
export interface ConnectionDeps {
  /** The read rate until the stream changes it. */
  readonly rate: ReadRate;
  readonly limits: ConnectionLimits;
  readonly layTls: LayTls;
  readonly clock: Clock;
}

/** A bit for each reason to pause. */
export const pauseBits: Readonly<Record<Pause, number>> = { rate: 1, work: 2, output: 4, shutdown: 8, link: 16 };
/** Time allowed for the last bytes of a closed stream. */
const lingerMs = 5_000;

/** How many connections are given up in one turn of the event loop because their sockets have closed, and for how long. */
const losses = new TurnBudget({ ms: 2, amount: 20 }, systemClock);

/** One TCP connection with or without TLS: coalesced writes, back-pressure in both directions, limits. */
export class Connection implements PeerConnection {
  readonly #limits: ConnectionLimits;
  readonly #layTls: LayTls;
  readonly #clock: Clock;
  readonly #output: OutputLevel;
  #user: ConnectionUser;
  #socket: Socket;
  #readRate: TokenBucket;
  #pauses = 0;
  #queue: (string | Buffer)[] | undefined;
  #queuedBytes = 0;
  /** Bytes given to the socket. */
  #givenBytes = 0;
  /** How many of them had left at the last check. */
  #goneBytes = -1;
  #progressAtMs: number;
  /** Whether the socket may have unsent bytes. */
  #unsent = false;
  #rateTimer: Timer | undefined;
  #lingerTimer: Timer | undefined;
  /** Further writes are ignored. */
  #ended = false;
  #closed = false;
  /** The socket is closed, or will be because of an error. */
  #isLost = false;
  readonly remoteAddress: string;

  constructor(socket: Socket, user: ConnectionUser, { rate, limits, layTls, clock }: ConnectionDeps) {
    this.#socket = socket;
    this.#user = user;
    this.#limits = limits;
    this.#layTls = layTls;
    this.#clock = clock;
    this.#output = new OutputLevel(limits);
    this.#readRate = new TokenBucket(rate.bytesPerSecond, rate.burstBytes, clock);
    this.#progressAtMs = clock.monotonicMs();
    this.remoteAddress = clientAddressOf(socket);
    socket.setNoDelay(true);
    this.#listen(socket);
  }

  get tls(): TLSSocket | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket : undefined;
  }

  get secure(): boolean {
    return this.tls !== undefined;
  }

  get channelBindings(): readonly ChannelBinding[] {
    const { tls } = this;
    return tls ? channelBindingsOf(tls) : [];
  }

  get ended(): boolean {
    return this.#ended;
  }

  get outgoingBytes(): number {
    return this.#queuedBytes + this.#unsentBytes;
  }

  get sentBytes(): number {
    return this.#givenBytes;
  }

  get congested(): boolean {
    return this.#output.isHigh(this.outgoingBytes);
  }

  /** Whether little is unsent. */
  get nearlyFlushed(): boolean {
    return this.#output.isLow(this.outgoingBytes);
  }

  limitReading(rate: ReadRate): void {
    if (this.tls) forgetChannelBindings(this.tls);
    this.#readRate = new TokenBucket(rate.bytesPerSecond, rate.burstBytes, this.#clock);
  }

  write(...pieces: (string | Buffer)[]): void {
    if (this.#ended) return;
    for (const piece of pieces) this.#queuedBytes += piece.length;
    if (this.#queue) this.#queue.push(...pieces);
    else {
      this.#queue = pieces;
      flushAtTurnEnd(this);
    }
    if (this.#output.isTooHigh(this.outgoingBytes)) this.#abort();
  }

  /** Hands everything queued to the socket now. */
  flush(): void {
    if (!this.#queue) return;
    const bytes = joinPieces(this.#queue);
    this.#empty();
    const socket = this.#socket;
    // Only large output needs a callback. Without one, small writes save a tick each.
    const watched = !this.#output.isLow(this.#unsentBytes + bytes.length);
    this.#givenBytes += bytes.length;
    writeInChunks(socket, bytes, watched ? () => this.#wrote() : undefined);
    this.#unsent = socket.writableLength > 0;
    if (!this.#unsent) return;
    this.#noteProgress(this.#clock.monotonicMs());
    if (this.congested) this.pause('output');
  }

  flushed(): Promise<void> {
    this.flush();
    return this.#closed || this.nearlyFlushed ? Promise.resolve() : this.#output.wait();
  }

  pause(reason: Pause): void {
    this.#pauses |= pauseBits[reason];
    this.#socket.pause();
  }

  resume(reason: Pause): void {
    const others = this.#pauses & ~pauseBits[reason];
    if (others === this.#pauses) return;
    this.#pauses = others;
    if (others === 0 && !this.#closed) this.#socket.resume();
  }

  startTls(start: TlsHandshake, host: string | undefined, goAhead?: string): void {
    // On a port that several protocols share, the handshake has come first: it decides who gets the connection.
    if (this.tls) return this.#user.secured();
    if (goAhead !== undefined) this.write(goAhead);
    this.flush();
    const plain = this.#socket;
    plain.off('data', this.#received);
    if (goAhead === undefined) return this.#coverWithTls(plain, start, host);
    const receive = (chunk: Buffer): void => {
      if (this.#closed) return;
      this.#countRead(chunk);
      const at = skipSpace(chunk, 0, chunk.length);
      if (at === chunk.length) return;
      plain.off('data', receive);
      // TLS reads bytes that were put back first. On a flowing socket they would be lost.
      plain.pause();
      plain.unshift(chunk.subarray(at));
      this.#coverWithTls(plain, start, host);
    };
    plain.on('data', receive);
  }

  #coverWithTls(plain: Socket, start: TlsHandshake, host: string | undefined): void {
    const secure = this.#layTls(plain, start, host);
    this.#socket = secure;
    secure.once('secure', () => {
      if (!this.#closed) this.#user.secured();
    });
    // Node reports a failed handshake of a server-side TLSSocket by this event alone, and leaves the socket open.
    secure.on('_tlsError', this.#lost);
    this.#listen(secure);
    if (this.#pauses !== 0) secure.pause();
  }

  end(): void {
    if (this.#ended) return;
    this.flush();
    this.#ended = true;
    // Reading must continue to see the peer's end.
    this.resume('shutdown');
    this.#socket.end();
    this.#lingerTimer = this.#clock.after(lingerMs, () => this.destroy());
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rateTimer?.cancel();
    this.#lingerTimer?.cancel();
    this.#abort();
    this.#output.wake();
    this.#user.disconnected();
  }

  checkStall(nowMs: number): void {
    if (this.#unsentBytes === 0) return;
    this.#noteProgress(nowMs);
    if (nowMs - this.#progressAtMs > this.#limits.writeStallMs) this.destroy();
  }

  /** Asks the socket only if it may have unsent bytes: with thousands of connections, its memory is cold. */
  get #unsentBytes(): number {
    return this.#unsent ? this.#socket.writableLength : 0;
  }

  #noteProgress(nowMs: number): void {
    const goneBytes = this.#givenBytes - this.#socket.writableLength;
    if (goneBytes === this.#goneBytes) return;
    this.#goneBytes = goneBytes;
    this.#progressAtMs = nowMs;
  }

  #abort(): void {
    this.#ended = true;
    this.#empty();
    this.#socket.destroy();
  }

  #empty(): void {
    this.#queue = undefined;
    this.#queuedBytes = 0;
  }

  #listen(socket: Socket): void {
    socket.on('data', this.#received);
    socket.on('error', this.#lost);
    socket.on('close', this.#lost);
  }

  /** Everybody learns of the end of a session. If a network breaks, thousands end in one turn. */
  readonly #lost = (): void => {
    if (this.#isLost) return;
    this.#isLost = true;
    const turn = losses.take(1);
    if (turn) void turn.then(() => this.destroy());
    else this.destroy();
  };

  readonly #received = (chunk: Buffer): void => {
    if (this.#closed) return;
    this.#countRead(chunk);
    this.#user.received(chunk);
    readHandled();
  };

  #countRead(chunk: Buffer): void {
    const waitMs = this.#readRate.takeInDebt(chunk.length);
    if (waitMs <= 0) return;
    this.pause('rate');
    this.#rateTimer?.cancel();
    this.#rateTimer = this.#clock.after(waitMs, () => this.resume('rate'));
  }

  #wrote(): void {
    if (!this.#output.isLow(this.#socket.writableLength)) return;
    this.resume('output');
    this.#output.wake();
  }
}
