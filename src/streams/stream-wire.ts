import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Clock } from '../support/clock.ts';
import type { Log } from '../support/log.ts';
import type { TlsHandshake } from '../tls/tls-options.ts';
import type { Element } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import type { StreamHandler, StreamHeader, XmlLimits } from '../xml/stream-reader.ts';
import { XmlError } from '../xml/xml-error.ts';
import type { FrameReader, Framing } from './framing.ts';
import type { ReadRate, StreamConnection } from './stream-connection.ts';
import { StreamDeadlines, type StreamPhase } from './stream-deadlines.ts';
import type { HeaderAttributes } from './stream-header.ts';
import type { StreamLimits } from './stream-limits.ts';
import type { StreamTraffic } from './stream-traffic.ts';

/** The stream on top of a wire. */
export interface WireUser {
  readonly phase: StreamPhase;
  /** The address of the entity at the other end, or where it connects from. */
  readonly peer: string;
  /** A stream header was received. */
  opened(header: StreamHeader): void;
  /** Takes a frame. If it returns a promise, the next frame must wait (RFC 6120 §10.1). */
  took(frame: Frame): MaybePromise<void>;
  /** The peer has closed its side of the stream (RFC 6120 §4.4). */
  peerClosed(): void;
  /** The connection is gone; called once. */
  lost(): void;
  /** The peer has been silent for so long that the stream must check that it responds. */
  keepAlive(): void;
  /** Asks the stream to close. An error is sent to the peer. */
  close(error?: StreamError): void;
}

/** Dependencies of a wire. */
export interface WireDeps {
  readonly limits: StreamLimits;
  /** Counts what all streams of this kind carry. */
  readonly traffic: StreamTraffic;
  readonly clock: Clock;
  readonly log: Log;
}

/** Joins a stream and its connection: reads one frame after the other, and checks the deadlines. */
export class StreamWire<C extends StreamConnection = StreamConnection> implements StreamHandler {
  readonly deadlines: StreamDeadlines;
  readonly framing: Framing;
  readonly #user: WireUser;
  readonly #deps: WireDeps;
  #connection!: C;
  #reader: FrameReader;
  /** Work deferred until the reader has returned. */
  #afterRead: (() => void) | undefined;
  /** The bytes of the connection that the traffic has counted. */
  #countedBytes = 0;

  constructor(user: WireUser, deps: WireDeps, framing: Framing) {
    this.#user = user;
    this.#deps = deps;
    this.deadlines = new StreamDeadlines(deps.limits, deps.clock);
    this.framing = framing;
    this.#reader = framing.reader(this, deps.limits.unauthenticatedXml);
  }

  get connection(): C {
    return this.#connection;
  }

  attach(connection: C): void {
    this.#connection = connection;
  }

  // --- called by the connection

  received(chunk: Buffer): void {
    this.deadlines.read();
    this.#deps.traffic.receivedBytes += chunk.length;
    this.#read(() => this.#reader.push(chunk));
  }

  disconnected(): void {
    this.#countSentBytes();
    if (this.#user.phase !== 'ended') this.#user.lost();
  }

  // --- called by the stream

  /** Opens our side of the stream (RFC 6120 §4.7). */
  sendHeader(attributes: HeaderAttributes): void {
    this.#connection.write(this.framing.open(attributes));
  }

  /** Sends an element that is not a stanza. */
  send(element: Element): void {
    this.#connection.write(this.framing.element(element));
  }

  sendStanza(stanza: Stanza): void {
    const { traffic } = this.#deps;
    traffic.countSent(stanza);
    traffic.observer?.sent(stanza, this.#user.peer);
    this.framing.writeStanza(this.#connection, stanza);
  }

  /** Closes our side, and then the connection (RFC 6120 §4.4). */
  close(): void {
    this.#connection.write(this.framing.close());
    this.#connection.end();
  }

  /** Expects a new stream header next (RFC 6120 §6.4.6). */
  restart(): void {
    this.#reader.restart();
  }

  /** The peer has authenticated: applies larger limits. */
  trust(xml: XmlLimits, rate: ReadRate): void {
    this.#reader.limits = xml;
    this.#connection.limitReading(rate);
  }

  /**
   * Stops reading plaintext. `start` begins the handshake when all input has been handled. White space
   * after the element is dropped, because some clients send a line break. Any other byte ends the stream.
   */
  turnSecure(start: () => void): void {
    this.#reader.pause();
    this.#afterRead = () => {
      // An attacker on the path could have inserted it (RFC 6120 §5.4.3.3).
      if (!this.#reader.idle)
        throw StreamError.policyViolation('data between STARTTLS and the TLS handshake is not allowed');
      start();
    };
  }

  /** Starts a TLS handshake, after `goAhead` in plaintext. Input from now on belongs to a new stream. */
  handshake(start: TlsHandshake, host: string | undefined, goAhead?: Element): void {
    this.deadlines.securing();
    this.#reader = this.framing.reader(this, this.#deps.limits.unauthenticatedXml);
    this.#connection.startTls(start, host, goAhead && this.framing.element(goAhead));
  }

  /** Ends the stream with `error` if it is a StreamError, otherwise with `internal-server-error`. */
  fail(error: unknown): void {
    if (error instanceof StreamError) return this.#user.close(error);
    if (error instanceof XmlError) return this.#user.close(new StreamError(error.condition, { text: error.message }));
    this.#deps.log.error({ err: error, remote: this.#connection.remoteAddress }, 'stream failed');
    this.#user.close(StreamError.internalServerError());
  }

  /** Checks the deadlines; called about once a second. */
  tick(nowMs: number): void {
    this.#connection.checkStall(nowMs);
    this.#countSentBytes();
    if (this.#reader.paused || this.#connection.outgoingBytes > 0) this.deadlines.answerDelayed();
    switch (this.deadlines.overdue(this.#user.phase, nowMs)) {
      case 'handshake':
        return this.#connection.destroy();
      case 'authentication':
        return this.#user.close(StreamError.connectionTimeout('authentication timed out'));
      case 'frame':
        return this.#user.close(StreamError.policyViolation('a stanza arrived too slowly'));
      case 'ping':
        return this.#user.keepAlive();
      case 'answer':
        return this.#user.close(StreamError.connectionTimeout());
      case undefined:
    }
  }

  // --- called by the reader

  header(header: StreamHeader): void {
    this.#user.opened(header);
  }

  frame(frame: Frame): void {
    if (this.#isOver()) return;
    this.deadlines.frameDone();
    const { traffic } = this.#deps;
    traffic.countReceived(frame);
    traffic.observer?.received(frame, this.#user.peer);
    const pending = this.#user.took(frame);
    if (pending instanceof Promise) this.#waitFor(pending);
    else if (this.#connection.congested) this.#waitFor(this.#connection.flushed());
  }

  end(): void {
    this.#user.peerClosed();
  }

  // --- reading

  #read(read: () => void): void {
    if (this.#isOver()) return;
    try {
      read();
      const after = this.#afterRead;
      this.#afterRead = undefined;
      after?.();
      // While the server is busy, the peer is not late.
      this.deadlines.framePending(!this.#reader.paused && this.#reader.pendingBytes > 0);
    } catch (error) {
      this.fail(error);
    }
  }

  #countSentBytes(): void {
    const { sentBytes } = this.#connection;
    this.#deps.traffic.sentBytes += sentBytes - this.#countedBytes;
    this.#countedBytes = sentBytes;
  }

  #isOver(): boolean {
    const { phase } = this.#user;
    return phase === 'over' || phase === 'ended';
  }

  /** Pauses reading until `work` is done (RFC 6120 §10.1). */
  #waitFor(work: Promise<void>): void {
    const reader = this.#reader;
    reader.pause();
    this.#connection.pause('work');
    const resume = () => {
      this.#connection.resume('work');
      this.#read(() => {
        if (!this.#afterRead) reader.resume();
      });
    };
    work.then(resume, (error: unknown) => this.fail(error));
  }
}
