import { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { acknowledgmentRequest } from '../protocol/stream-management.ts';
import type { StreamStage } from '../routing/extension.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import type { Device } from '../routing/session.ts';
import { type Framing, TcpFraming } from '../streams/framing.ts';
import type { StreamConnection } from '../streams/stream-connection.ts';
import type { StreamPhase } from '../streams/stream-deadlines.ts';
import { isStreamError, localDomain } from '../streams/stream-header.ts';
import type { AcceptedStream } from '../streams/stream-listener.ts';
import { StreamWire, type WireUser } from '../streams/stream-wire.ts';
import type { ChannelBinding } from '../tls/channel-binding.ts';
import type { TlsHandshake, TlsStart } from '../tls/tls-options.ts';
import { type Element, xml } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';
import type { ClientSession } from './client-session.ts';
import type { ClientStreamDeps } from './client-stream-deps.ts';
import { isLegalStep, isPassing, phaseOf, type StreamState } from './client-stream-state.ts';
import { offersFor } from './negotiation/offers.ts';
import type { FrameReceiver, NegotiatingStream, StreamFeature } from './negotiation/stream-feature.ts';
import type { Leaving } from './session-stream.ts';
import { refusingBadAddress } from './stanza-intake.ts';

const overTcp = new TcpFraming(ns.client);

/** One client's XML stream on one connection (RFC 6120 §4): from the first header to the last byte. */
export class ClientStream implements NegotiatingStream, AcceptedStream<StreamConnection>, WireUser {
  readonly #deps: ClientStreamDeps;
  readonly #authenticated: () => void;
  readonly #wire: StreamWire;
  #state: StreamState = { name: 'opening' };
  #host: string | undefined;
  #headerSent = false;
  #headerFrom: string | undefined;
  #failures = 0;
  #device: Device | undefined;
  /** How many passwords had changed when the client began to authenticate. */
  #changesBefore = 0;
  #tlsStart: TlsStart = 'starttls';

  /** `authenticated` is called when the client has authenticated. */
  constructor(deps: ClientStreamDeps, authenticated: () => void, framing: Framing = overTcp) {
    this.#deps = deps;
    this.#authenticated = authenticated;
    this.#wire = new StreamWire(this, deps, framing);
  }

  /** Attaches the connection. With direct TLS (XEP-0368) the handshake comes first. */
  open(connection: StreamConnection, start: TlsStart): void {
    this.#tlsStart = start;
    this.#wire.attach(connection);
    if (start === 'direct') this.#handshake('direct');
  }

  get tlsStart(): TlsStart {
    return this.#tlsStart;
  }

  get host(): string {
    return this.#host ?? '';
  }

  get secure(): boolean {
    return this.#wire.connection.secure;
  }

  get identity(): Jid | undefined {
    if (this.#state.name === 'bound') return this.#state.session.account.jid;
    return 'identity' in this.#state ? this.#state.identity : undefined;
  }

  get channelBindings(): readonly ChannelBinding[] {
    // The TLS session there may end at a proxy, so binding to it proves nothing.
    return this.#tlsStart === 'established' ? [] : this.#wire.connection.channelBindings;
  }

  get remoteAddress(): string {
    return this.#wire.connection.remoteAddress;
  }

  get peer(): string {
    if (this.#state.name === 'bound') return this.#state.session.jid.toString();
    return this.identity?.toString() ?? this.remoteAddress;
  }

  get device(): Device | undefined {
    return this.#device;
  }

  get headerFrom(): string | undefined {
    return this.#headerFrom;
  }

  // --- called by the connection

  received(chunk: Buffer): void {
    this.#wire.received(chunk);
  }

  secured(): void {
    this.#become({ name: 'opening' });
  }

  disconnected(): void {
    this.#wire.disconnected();
  }

  tick(nowMs: number): void {
    this.#wire.tick(nowMs);
  }

  // --- called by the wire

  get phase(): StreamPhase {
    return phaseOf(this.#state);
  }

  lost(): void {
    this.#leave({ name: 'closed' }, 'lost');
  }

  peerClosed(): void {
    this.#end('goodbye');
  }

  opened(header: StreamHeader): void {
    if (this.#state.name !== 'opening') throw StreamError.badFormat('unexpected stream header');
    const to = header.attribute('to');
    const host = to === undefined ? undefined : localDomain(to, this.#deps.isLocalDomain);
    this.#headerFrom = header.attribute('from');
    this.#sendHeader(host);
    this.#wire.framing.check(header);
    if (to === undefined) throw StreamError.improperAddressing("the stream header needs a 'to'");
    if (host === undefined || (this.#host !== undefined && host !== this.#host)) throw StreamError.hostUnknown();
    this.#host = host;
    this.#negotiate(this.#state.identity);
  }

  took(frame: Frame): MaybePromise<void> {
    switch (this.#state.name) {
      case 'bound':
        if (isStreamError(frame)) return this.close();
        return this.#deps.intake.take(frame, this.#state.session);
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

  keepAlive(): void {
    if (this.#state.name !== 'bound') return;
    const { session } = this.#state;
    this.#wire.deadlines.pinged();
    const ask = xml('ping', { xmlns: ns.ping });
    const { requests, limits } = this.#deps;
    const from = Jid.from('', this.host);
    void requests.ask(from, session.jid, ask, limits.idleCloseAfterMs, (request) => session.sendHeld(request));
  }

  // --- called by the session and the features

  send(element: Element): void {
    this.#wire.send(element);
  }

  sendStanza(stanza: Stanza): void {
    this.#wire.sendStanza(stanza);
  }

  get broken(): boolean {
    return this.#wire.connection.ended;
  }

  get congested(): boolean {
    return this.#wire.connection.congested;
  }

  requestAcknowledgment(): void {
    this.send(acknowledgmentRequest());
    this.#wire.deadlines.pinged();
  }

  flushed(): Promise<void> {
    return this.#wire.connection.flushed();
  }

  secureNow(): void {
    this.#wire.turnSecure(() => this.#handshake('starttls', xml('proceed', { xmlns: ns.tls })));
  }

  beginAuthentication(attempt: FrameReceiver): void {
    // XEP-0388 §2.6.1: a stream authenticates only once.
    if (this.#state.name !== 'negotiating' || this.#state.identity) throw StreamError.policyViolation();
    this.#changesBefore = this.#deps.registrar.changes;
    this.#become({ name: 'authenticating', attempt, offered: this.#state.offered });
  }

  identifyDevice(device: Device): void {
    this.#device = device;
  }

  authenticationFailed(): void {
    if (this.#state.name !== 'authenticating') return;
    this.#become({ name: 'negotiating', offered: this.#state.offered });
    this.#countFailure('too many failed authentications');
  }

  refuse(answer: Element): void {
    this.send(answer);
    if (!this.identity) this.#countFailure('too many elements before authentication');
  }

  restartAs(identity: Jid): void {
    if (this.#state.name !== 'authenticating') return;
    this.#become({ name: 'opening', identity });
    this.#trust();
    this.#wire.restart();
    this.#headerSent = false;
  }

  continueAs(identity: Jid, session?: ClientSession): void {
    if (this.#state.name !== 'authenticating') return session && this.#deps.sessions.end(session);
    this.#trust();
    if (!session) return this.#negotiate(identity);
    if (this.#isOutdated(session)) return;
    this.#become({ name: 'bound', session });
    this.#sendFeatures([]);
    session.release();
  }

  bound(session: ClientSession): void {
    if (this.#state.name !== 'negotiating') return this.#deps.sessions.end(session);
    if (this.#isOutdated(session)) return;
    this.#become({ name: 'bound', session });
  }

  /** Ends a new session if the password was changed since the client began to authenticate: it may have used the old one. */
  #isOutdated(session: ClientSession): boolean {
    const isOutdated = this.#deps.registrar.hasChangedSince(session.account.jid, this.#changesBefore);
    if (isOutdated) {
      this.#deps.sessions.end(session);
      this.close(StreamError.reset('the password was changed'));
    }
    return isOutdated;
  }

  resumed(session: ClientSession, takeOver: () => void): void {
    if (this.#state.name === 'authenticating') this.#trust();
    else if (this.#state.name !== 'negotiating') return;
    this.#become({ name: 'bound', session });
    takeOver();
  }

  /** Ends the stream. An error is sent to the client, always after a header (RFC 6120 §4.9.1.2). */
  close(error?: StreamError): void {
    this.#end(isPassing(error) ? 'lost' : 'closed', error);
  }

  #end(leaving: Leaving, error?: StreamError): void {
    if (this.#state.name === 'closing' || this.#state.name === 'closed') return;
    if (this.#state.name === 'securing') return this.#wire.connection.destroy();
    if (!this.#headerSent) this.#sendHeader(undefined);
    this.#leave({ name: 'closing' }, leaving);
    if (error) this.send(error.element());
    this.#wire.close();
  }

  /** Stops reading; resolves when the client's stanzas are acknowledged (XEP-0198 §4). */
  async finish(): Promise<void> {
    this.#wire.connection.pause('shutdown');
    const { management } = this.#state.name === 'bound' ? this.#state.session : {};
    await management?.acknowledger.settled();
    management?.acknowledger.tell();
  }

  /** Ends the connection without an error. */
  abandon(): void {
    this.#wire.connection.destroy();
  }

  // --- negotiation

  #sendHeader(host: string | undefined): void {
    this.#headerSent = true;
    this.#wire.sendHeader({ id: randomId(), from: host ?? this.#host, to: this.#headerFrom });
  }

  #negotiate(identity: Jid | undefined): void {
    const facts = {
      host: this.host,
      secure: this.secure,
      tlsStart: this.tlsStart,
      identity,
      // A stream authenticates only once.
      channelBindings: identity ? [] : this.channelBindings,
      remoteAddress: this.remoteAddress,
      headerFrom: this.headerFrom,
    };
    const { offered, elements, exclusive } = offersFor(this.#deps.features, facts);
    this.#become({ name: 'negotiating', ...(identity ? { identity } : {}), offered });
    this.#sendFeatures(elements, exclusive);
  }

  #sendFeatures(offers: readonly Element[], alone = false): void {
    const stage: StreamStage = this.identity ? 'authenticated' : 'unauthenticated';
    const notices = alone ? [] : this.#deps.notices(stage, { host: this.host });
    this.send(xml('stream:features', { 'xmlns:stream': ns.stream }, ...offers, ...notices));
  }

  #takeChoice(frame: Frame, offered: readonly StreamFeature[]): MaybePromise<void> {
    const feature = this.#deps.features.find((one) => one.handles(frame));
    if (feature) {
      const negotiate = () => feature.negotiate(this, frame, offered.includes(feature));
      return refusingBadAddress(frame, negotiate, (reply) => this.sendStanza(reply));
    }
    if (isStreamError(frame)) return this.close();
    if (frame.ns !== ns.client) throw StreamError.unsupportedStanzaType();
    throw StreamError.notAuthorized('bind a resource before sending stanzas');
  }

  #countFailure(text: string): void {
    this.#failures += 1;
    if (this.#failures >= this.#deps.limits.authenticationFailures) this.close(StreamError.policyViolation(text));
  }

  #handshake(start: TlsHandshake, goAhead?: Element): void {
    this.#become({ name: 'securing' });
    this.#headerSent = false;
    this.#wire.handshake(start, this.#host, goAhead);
  }

  #trust(): void {
    const { limits } = this.#deps;
    this.#wire.trust(limits.xml, limits.rate);
    this.#authenticated();
  }

  #become(next: StreamState): void {
    if (!isLegalStep(this.#state.name, next.name)) throw new Error(`no step from ${this.#state.name} to ${next.name}`);
    this.#state = next;
  }

  #leave(next: StreamState, leaving: Leaving): void {
    const { session } = this.#state.name === 'bound' ? this.#state : { session: undefined };
    this.#become(next);
    if (session) this.#deps.sessions.left(session, this, leaving);
  }
}
