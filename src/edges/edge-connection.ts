import { pauseBits } from '../streams/connection.ts';
import { OutputLevel } from '../streams/output-level.ts';
import type {
  ConnectionLimits,
  ConnectionUser,
  Pause,
  ReadRate,
  StreamConnection,
} from '../streams/stream-connection.ts';
import type { ChannelBinding } from '../tls/channel-binding.ts';
import type { TlsHandshake, TlsStart } from '../tls/tls-options.ts';
import { isWhiteSpace } from '../xml/char-class.ts';
import { decode, encode, recordedChannelBinding, toCore, toEdge } from './records.ts';
import type { ThreadLink } from './thread-link.ts';
import { Underway } from './underway.ts';

/** Dependencies of {@link EdgeConnection}. */
interface EdgeConnectionDeps {
  readonly link: ThreadLink;
  readonly limits: ConnectionLimits;
  /** Called when the connection is gone and needs no more records. */
  readonly forget: (id: number) => void;
}

/** A new connection at an edge. */
export interface EdgePeer {
  readonly id: number;
  readonly remoteAddress: string;
  readonly start: TlsStart;
}

/**
 * A connection whose socket and TLS are in an edge, in a `Connection` that enforces rates and detects stalls. Bytes on their
 * way to the edge count as unsent output. Bytes on their way from the edge are held back while reading is paused.
 */
export class EdgeConnection implements StreamConnection {
  readonly #link: ThreadLink;
  readonly #output: OutputLevel;
  readonly #forget: (id: number) => void;
  readonly #user: ConnectionUser;
  readonly #id: number;
  #pauses = 0;
  /** Input received while reading was paused. A final undefined means that the connection is gone. */
  #held: (Buffer | undefined)[] | undefined;
  #deliveryDue = false;
  readonly #underway: Underway;
  /** Bytes that wait in the edge, according to its last report. */
  #waitingBytes = 0;
  #secure: 'no' | 'soon' | 'yes' = 'no';
  #sentBytes = 0;
  #ended = false;
  #closed = false;
  readonly remoteAddress: string;
  channelBindings: readonly ChannelBinding[] = [];

  constructor(peer: EdgePeer, user: ConnectionUser, { link, limits, forget }: EdgeConnectionDeps) {
    this.#id = peer.id;
    this.remoteAddress = peer.remoteAddress;
    this.#user = user;
    this.#link = link;
    this.#underway = new Underway(link);
    this.#output = new OutputLevel(limits);
    this.#forget = forget;
    // With direct TLS the edge starts the handshake at once, because nothing is read before it.
    if (peer.start === 'direct') this.#secure = 'soon';
    this.#put(toEdge.admit);
  }

  get secure(): boolean {
    return this.#secure !== 'no';
  }

  get ended(): boolean {
    return this.#ended;
  }

  get outgoingBytes(): number {
    return this.#ended ? 0 : this.#waitingBytes + this.#underway.bytes;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  get congested(): boolean {
    return this.#output.isHigh(this.outgoingBytes);
  }

  limitReading(rate: ReadRate): void {
    this.channelBindings = [];
    this.#put(toEdge.readRate, encode('readRate', rate));
  }

  write(...pieces: (string | Buffer)[]): void {
    if (this.#ended) return;
    let bytes = 0;
    for (const piece of pieces) bytes += piece.length;
    this.#sentBytes += bytes;
    this.#underway.add(bytes, this.#link.put(toEdge.bytes, this.#id, ...pieces));
    if (this.#output.isTooHigh(this.outgoingBytes)) this.#abort();
  }

  flushed(): Promise<void> {
    if (this.#closed || this.#output.isLow(this.outgoingBytes)) return Promise.resolve();
    this.#put(toEdge.awaitFlush);
    return this.#output.wait();
  }

  pause(reason: Pause): void {
    this.#pauses |= pauseBits[reason];
    this.#put(toEdge.pause, encode('pause', reason));
  }

  resume(reason: Pause): void {
    if ((this.#pauses & pauseBits[reason]) === 0) return;
    this.#pauses &= ~pauseBits[reason];
    this.#put(toEdge.resume, encode('pause', reason));
    this.#deliverSoon();
  }

  startTls(start: TlsHandshake, host: string | undefined, goAhead?: string): void {
    this.#secure = 'soon';
    if (start === 'direct') return;
    // Input received while reading was paused is plaintext (RFC 6120 §5.4.3.3). White space in it is dropped.
    if (this.#held?.some((chunk) => chunk !== undefined && !isWhiteSpace(chunk))) return this.destroy();
    this.#held = this.#held?.includes(undefined) ? [undefined] : undefined;
    // One record, so that the client cannot start its handshake before the edge expects it.
    const order = { start, ...(host === undefined ? {} : { host }), ...(goAhead === undefined ? {} : { goAhead }) };
    this.#put(toEdge.startTls, encode('startTls', order));
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#put(toEdge.end);
    // As in the edge: reading must continue to see the peer's end.
    this.#pauses &= ~pauseBits.shutdown;
    this.#deliverSoon();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#abort();
    this.#close();
  }

  /** The edge does this. */
  checkStall(): void {}

  /** Takes a record from the edge. */
  take(kind: number, payload: Buffer): void {
    switch (kind) {
      case toCore.bytes:
        return this.#received(payload);
      case toCore.secured:
        this.#secure = 'yes';
        this.channelBindings = decode('secured', payload).map(recordedChannelBinding);
        return this.#user.secured();
      case toCore.waiting:
        this.#waitingBytes = decode('waiting', payload);
        return;
      case toCore.flushed:
        this.#waitingBytes = 0;
        return this.#output.wake();
      case toCore.gone:
        return this.#gone();
    }
  }

  #received(chunk: Buffer): void {
    // Plaintext that arrived after the request for TLS may have been injected (RFC 6120 §5.4.3.3).
    if (this.#secure === 'soon') return isWhiteSpace(chunk) ? undefined : this.destroy();
    if (this.#held) this.#held.push(chunk);
    else if (this.#pauses !== 0) this.#held = [chunk];
    else this.#user.received(chunk);
  }

  #gone(): void {
    this.#ended = true;
    if (this.#held) this.#held.push(undefined);
    else this.#close();
  }

  #deliverSoon(): void {
    if (!this.#held || this.#deliveryDue) return;
    this.#deliveryDue = true;
    setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    this.#deliveryDue = false;
    while (this.#held && this.#pauses === 0) {
      const chunk = this.#held.shift();
      if (this.#held.length === 0) this.#held = undefined;
      if (chunk) this.#user.received(chunk);
      else this.#close();
    }
  }

  #abort(): void {
    this.#ended = true;
    this.#put(toEdge.destroy);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = undefined;
    this.#forget(this.#id);
    this.#output.wake();
    this.#user.disconnected();
  }

  #put(kind: number, ...payload: readonly string[]): void {
    this.#link.put(kind, this.#id, ...payload);
  }
}
