import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { acknowledgmentRequest } from '../protocol/stream-management.ts';
import type { Eventually } from '../routing/eventually.ts';
import type { StreamStage } from '../routing/extension.ts';
import { type Element, xml } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import { serialise } from '../xml/serialise.ts';
import { type StreamHeader, StreamReader } from '../xml/stream-reader.ts';
import { XmlError } from '../xml/xml-error.ts';
import type { ClientConnection, TlsStart } from './client-connection.ts';
import type { ClientSession } from './client-session.ts';
import type { ClientStreamParts } from './client-stream-parts.ts';
import { offersFor } from './negotiation/offers.ts';
import type { ChannelBinding } from './negotiation/sasl/channel-binding.ts';
import type { FrameReceiver, NegotiatingStream, StreamFeature } from './negotiation/stream-feature.ts';
import type { Leaving } from './session-stream.ts';
import { refusingBadAddress } from './stanza-intake.ts';
import { StreamDeadlines } from './stream-deadlines.ts';
import { checkHeader, headerText, isStreamError, localDomain } from './stream-header.ts';
import type { StreamLimits } from './stream-limits.ts';
import type { AcceptedStream } from './stream-listener.ts';
import { isLegalStep, isPassing, phaseOf, type StreamState } from './stream-state.ts';

/** One client's XML stream on one connection (RFC 6120 §4): from the first header to the last byte. */
export class ClientStream implements NegotiatingStream, AcceptedStream {
  readonly #parts: ClientStreamParts;
  readonly #authenticated: () => void;
  readonly #deadlines: StreamDeadlines;
  #connection!: ClientConnection;
  #reader: StreamReader;
  #state: StreamState = { name: 'opening' };
  #host: string | undefined;
  #headerSent = false;
  #headerFrom: string | undefined;
  #failures = 0;
  /** What must wait until the reader has returned. */
  #afterRead: (() => void) | undefined;

  /** `authenticated` is called when the client has said who it is. */
  constructor(parts: ClientStreamParts, authenticated: () => void) {
    this.#parts = parts;
    this.#authenticated = authenticated;
    this.#deadlines = new StreamDeadlines(parts.limits, parts.clock);
    this.#reader = this.#newReader(parts.limits.unauthenticatedXml);
  }

  /** Gives the stream its connection; with direct TLS (XEP-0368) the handshake comes first. */
  open(connection: ClientConnection, tls: TlsStart): void {
    this.#connection = connection;
    if (tls !== 'direct') return;
    this.#become({ name: 'securing' });
    this.#handshake('direct');
  }

  get host(): string {
    return this.#host ?? '';
  }

  get secure(): boolean {
    return this.#connection.secure;
  }

  get identity(): Jid | undefined {
    if (this.#state.name === 'bound') return this.#state.session.account.jid;
    return 'identity' in this.#state ? this.#state.identity : undefined;
  }

  get channelBindings(): readonly ChannelBinding[] {
    return this.#connection.channelBindings;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  get headerFrom(): string | undefined {
    return this.#headerFrom;
  }

  // --- the connection tells

  received(chunk: Buffer): void {
    this.#deadlines.read();
    this.#read(() => this.#reader.push(chunk));
  }

  secured(): void {
    this.#become({ name: 'opening' });
  }

  disconnected(): void {
    if (this.#state.name === 'closed') return;
    this.#leave({ name: 'closed' }, 'lost');
  }

  // --- the session and the features tell

  send(element: Element): void {
    this.#connection.write(serialise(element, ns.client));
  }

  sendStanza(stanza: Stanza): void {
    this.#connection.write(stanza.head(), stanza.payload.bytes, stanza.tail());
  }

  get broken(): boolean {
    return this.#connection.ended;
  }

  requestAcknowledgment(): void {
    this.send(acknowledgmentRequest());
    this.#deadlines.pinged();
  }

  flushed(): Promise<void> {
    return this.#connection.flushed();
  }

  secureNow(): void {
    this.#become({ name: 'securing' });
    this.#reader.pause();
    this.#afterRead = () => {
      // What came in the clear behind <starttls/> was written by who knows whom (RFC 6120 §5.4.3.3).
      if (this.#reader.pendingBytes > 0) return this.#connection.destroy();
      this.send(xml('proceed', { xmlns: ns.tls }));
      this.#handshake('starttls');
    };
  }

  beginAuthentication(attempt: FrameReceiver): void {
    // XEP-0388 §2.6.1: there is one authentication in a stream.
    if (this.#state.name !== 'negotiating' || this.#state.identity) throw StreamError.policyViolation();
    this.#become({ name: 'authenticating', attempt, offered: this.#state.offered });
  }

  authenticationFailed(): void {
    if (this.#state.name !== 'authenticating') return;
    this.#become({ name: 'negotiating', offered: this.#state.offered });
    this.#failures += 1;
    if (this.#failures >= this.#parts.limits.authenticationFailures) {
      this.close(StreamError.policyViolation('too many failed authentications'));
    }
  }

  restartAs(identity: Jid): void {
    if (this.#state.name !== 'authenticating') return;
    this.#become({ name: 'opening', identity });
    this.#trust();
    this.#reader.restart();
    this.#headerSent = false;
  }

  continueAs(identity: Jid, session?: ClientSession): void {
    if (this.#state.name !== 'authenticating') return session && this.#parts.sessions.end(session);
    this.#trust();
    if (!session) return this.#negotiate(identity);
    this.#become({ name: 'bound', session });
    this.#sendFeatures([]);
    session.release();
  }

  bound(session: ClientSession): void {
    if (this.#state.name !== 'negotiating') return this.#parts.sessions.end(session);
    this.#become({ name: 'bound', session });
  }

  resumed(session: ClientSession, takeOver: () => void): void {
    if (this.#state.name === 'authenticating') this.#trust();
    else if (this.#state.name !== 'negotiating') return;
    this.#become({ name: 'bound', session });
    takeOver();
  }

  /** Ends the stream; with an error it is told to the client, always behind a header (RFC 6120 §4.9.1.2). */
  close(error?: StreamError): void {
    this.#end(isPassing(error) ? 'lost' : 'closed', error);
  }

  #end(leaving: Leaving, error?: StreamError): void {
    if (this.#state.name === 'closing' || this.#state.name === 'closed') return;
    if (this.#state.name === 'securing') return this.#connection.destroy();
    if (!this.#headerSent) this.#sendHeader(undefined);
    this.#leave({ name: 'closing' }, leaving);
    if (error) this.send(error.element());
    this.#connection.write('</stream:stream>');
    this.#connection.end();
  }

  /** Takes nothing more; resolves when the client knows how far what it has sent is dealt with (XEP-0198 §4). */
  async finish(): Promise<void> {
    this.#connection.pause('shutdown');
    const { management } = this.#state.name === 'bound' ? this.#state.session : {};
    await management?.settled();
    management?.tell();
  }

  /** Ends the connection without a word. */
  abandon(): void {
    this.#connection.destroy();
  }

  /** Keeps every deadline of the stream; called about once a second. */
  tick(nowMs: number): void {
    this.#connection.checkStall(nowMs);
    if (this.#reader.paused || this.#connection.outgoingBytes > 0) this.#deadlines.unheard();
    switch (this.#deadlines.overdue(phaseOf(this.#state), nowMs)) {
      case 'handshake':
        return this.#connection.destroy();
      case 'authentication':
        return this.close(StreamError.connectionTimeout('authentication took too long'));
      case 'frame':
        return this.close(StreamError.policyViolation('a stanza took too long'));
      case 'ping':
        return this.#ping();
      case 'answer':
        return this.close(StreamError.connectionTimeout());
      case undefined:
    }
  }

  // --- reading

  #newReader(limits: StreamLimits['xml']): StreamReader {
    return new StreamReader(
      {
        header: (header) => this.#opened(header),
        frame: (frame) => this.#took(frame),
        end: () => this.#end('goodbye'),
      },
      limits,
    );
  }

  #read(read: () => void): void {
    if (this.#state.name === 'closing' || this.#state.name === 'closed') return;
    try {
      read();
      const after = this.#afterRead;
      this.#afterRead = undefined;
      after?.();
      // While we are at work it is not the client who is slow.
      this.#deadlines.framePending(!this.#reader.paused && this.#reader.pendingBytes > 0);
    } catch (error) {
      this.#fail(error);
    }
  }

  #took(frame: Frame): void {
    this.#deadlines.frameDone();
    const pending = this.#handle(frame);
    if (pending instanceof Promise) this.#waitFor(pending);
    else if (this.#connection.congested) this.#waitFor(this.#connection.flushed());
  }

  #handle(frame: Frame): Eventually<void> {
    switch (this.#state.name) {
      case 'bound':
        if (isStreamError(frame)) return this.close();
        return this.#parts.intake.take(frame, this.#state.session);
      case 'negotiating':
        return this.#takeChoice(frame, this.#state.offered);
      case 'authenticating':
        return this.#state.attempt.receive(frame);
      case 'opening':
      case 'securing':
      case 'closing':
      case 'closed':
        return undefined;
    }
  }

  /** Takes nothing more from the client until `work` is done (RFC 6120 §10.1). */
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
    work.then(resume, (error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (error instanceof StreamError) return this.close(error);
    if (error instanceof XmlError) return this.close(new StreamError(error.condition, { text: error.message }));
    this.#parts.log.error({ err: error, remote: this.remoteAddress }, 'stream failed');
    this.close(StreamError.internalServerError());
  }

  // --- negotiation

  #opened(header: StreamHeader): void {
    if (this.#state.name !== 'opening') throw StreamError.badFormat('a stream header was not due');
    const to = header.attribute('to');
    const host = to === undefined ? undefined : localDomain(to, this.#parts.isLocalDomain);
    this.#headerFrom = header.attribute('from');
    this.#sendHeader(host);
    checkHeader(header);
    if (to === undefined) throw StreamError.improperAddressing("the stream header needs a 'to'");
    if (host === undefined || (this.#host !== undefined && host !== this.#host)) throw StreamError.hostUnknown();
    this.#host = host;
    this.#negotiate(this.#state.identity);
  }

  #sendHeader(host: string | undefined): void {
    this.#headerSent = true;
    this.#connection.write(headerText({ id: randomId(), from: host ?? this.#host, to: this.#headerFrom }));
  }

  #negotiate(identity: Jid | undefined): void {
    const facts = {
      host: this.host,
      secure: this.secure,
      identity,
      channelBindings: this.channelBindings,
      remoteAddress: this.remoteAddress,
      headerFrom: this.headerFrom,
    };
    const { offered, elements, exclusive } = offersFor(this.#parts.features, facts);
    this.#become({ name: 'negotiating', ...(identity ? { identity } : {}), offered });
    this.#sendFeatures(elements, exclusive);
  }

  #sendFeatures(offers: readonly Element[], alone = false): void {
    const stage: StreamStage = this.identity ? 'authenticated' : 'unauthenticated';
    const notices = alone ? [] : this.#parts.notices(stage, { host: this.host });
    this.send(xml('stream:features', { 'xmlns:stream': ns.stream }, ...offers, ...notices));
  }

  #takeChoice(frame: Frame, offered: readonly StreamFeature[]): Eventually<void> {
    const feature = this.#parts.features.find((one) => one.handles(frame));
    if (feature) {
      const negotiate = () => feature.negotiate(this, frame, offered.includes(feature));
      return refusingBadAddress(frame, negotiate, (reply) => this.sendStanza(reply));
    }
    if (isStreamError(frame)) return this.close();
    if (frame.ns !== ns.client) throw StreamError.unsupportedStanzaType();
    throw StreamError.notAuthorized('stanzas come after resource binding');
  }

  #handshake(start: TlsStart): void {
    this.#deadlines.securing();
    this.#reader = this.#newReader(this.#parts.limits.unauthenticatedXml);
    this.#headerSent = false;
    this.#connection.startTls(start, this.#host);
  }

  #trust(): void {
    const { limits } = this.#parts;
    this.#reader.limits = limits.xml;
    this.#connection.limitReading(limits.rate);
    this.#authenticated();
  }

  #ping(): void {
    if (this.#state.name !== 'bound') return;
    const { session } = this.#state;
    this.#deadlines.pinged();
    const ask = xml('ping', { xmlns: ns.ping });
    const { requests, limits } = this.#parts;
    const from = Jid.from('', this.host);
    void requests.ask(from, session.jid, ask, limits.idleCloseAfterMs, (request) => session.sendHeld(request));
  }

  #become(next: StreamState): void {
    if (!isLegalStep(this.#state.name, next.name)) throw new Error(`no step from ${this.#state.name} to ${next.name}`);
    this.#state = next;
  }

  #leave(next: StreamState, leaving: Leaving): void {
    const { session } = this.#state.name === 'bound' ? this.#state : { session: undefined };
    this.#become(next);
    if (session) this.#parts.sessions.left(session, this, leaving);
  }
}
