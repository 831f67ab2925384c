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

/** A stream, as its wire knows it. */
export interface WireUser {
  readonly phase: StreamPhase;
  /** A stream header has come. */
  opened(header: StreamHeader): void;
  /** A promise: the next frame must wait (RFC 6120 §10.1). */
  took(frame: Frame): MaybePromise<void>;
  /** The peer has closed its side of the stream (RFC 6120 §4.4). */
  peerClosed(): void;
  /** The connection is gone; told once. */
  lost(): void;
  /** Nothing has come from the peer for so long that the stream must find out whether it is still there. */
  keepAlive(): void;
  /** The stream is to end; with an error it is told to the peer. */
  close(error?: StreamError): void;
}

/** Dependencies of a wire. */
export interface WireDeps {
  readonly limits: StreamLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** A stream's side of its connection, the same for all streams: reads one frame after the other, and keeps the time. */
export class StreamWire<C extends StreamConnection = StreamConnection> implements StreamHandler {
  readonly deadlines: StreamDeadlines;
  readonly framing: Framing;
  readonly #user: WireUser;
  readonly #deps: WireDeps;
  #connection!: C;
  #reader: FrameReader;
  /** What must wait until the reader has returned. */
  #afterRead: (() => void) | undefined;

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

  // --- the connection tells

  received(chunk: Buffer): void {
    this.deadlines.read();
    this.#read(() => this.#reader.push(chunk));
  }

  disconnected(): void {
    if (this.#user.phase !== 'ended') this.#user.lost();
  }

  // --- the stream tells

  /** Opens our side of the stream (RFC 6120 §4.7). */
  sendHeader(attributes: HeaderAttributes): void {
    this.#connection.write(this.framing.open(attributes));
  }

  /** Sends an element that is no stanza. */
  send(element: Element): void {
    this.#connection.write(this.framing.element(element));
  }

  sendStanza(stanza: Stanza): void {
    this.framing.writeStanza(this.#connection, stanza);
  }

  /** Closes our side, and the connection when that has left (RFC 6120 §4.4). */
  close(): void {
    this.#connection.write(this.framing.close());
    this.#connection.end();
  }

  /** Expects a new stream header next (RFC 6120 §6.4.6). */
  restart(): void {
    this.#reader.restart();
  }

  /** The peer has authenticated: larger limits hold. */
  trust(xml: XmlLimits, rate: ReadRate): void {
    this.#reader.limits = xml;
    this.#connection.limitReading(rate);
  }

  /**
   * Takes nothing more in the clear; `start` begins the handshake when all that was read has been dealt with. White space
   * behind the element is dropped, because some clients end their lines. Anything else ends the stream.
   */
  turnSecure(start: () => void): void {
    this.#reader.pause();
    this.#afterRead = () => {
      // Anybody on the way could have written it (RFC 6120 §5.4.3.3).
      if (!this.#reader.idle)
        throw StreamError.policyViolation('data between STARTTLS and the TLS handshake is not allowed');
      start();
    };
  }

  /** A TLS handshake begins, after `goAhead` in the clear: what is read from now on is a stream of its own. */
  handshake(start: TlsHandshake, host: string | undefined, goAhead?: Element): void {
    this.deadlines.securing();
    this.#reader = this.framing.reader(this, this.#deps.limits.unauthenticatedXml);
    this.#connection.startTls(start, host, goAhead && this.framing.element(goAhead));
  }

  /** Something has gone wrong: the stream ends with it, or with our fault. */
  fail(error: unknown): void {
    if (error instanceof StreamError) return this.#user.close(error);
    if (error instanceof XmlError) return this.#user.close(new StreamError(error.condition, { text: error.message }));
    this.#deps.log.error({ err: error, remote: this.#connection.remoteAddress }, 'stream failed');
    this.#user.close(StreamError.internalServerError());
  }

  /** Keeps every deadline; called about once a second. */
  tick(nowMs: number): void {
    this.#connection.checkStall(nowMs);
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

  // --- the reader tells

  header(header: StreamHeader): void {
    this.#user.opened(header);
  }

  frame(frame: Frame): void {
    if (this.#isOver()) return;
    this.deadlines.frameDone();
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
      // While we are at work it is not the peer who is slow.
      this.deadlines.framePending(!this.#reader.paused && this.#reader.pendingBytes > 0);
    } catch (error) {
      this.fail(error);
    }
  }

  #isOver(): boolean {
    const { phase } = this.#user;
    return phase === 'over' || phase === 'ended';
  }

  /** Takes nothing more from the peer until `work` is done (RFC 6120 §10.1). */
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
