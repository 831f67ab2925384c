import { ns } from '../protocol/namespaces.ts';
import type { Stanza } from '../protocol/stanza.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { managementFailed } from '../protocol/stream-management.ts';
import type { StreamStage } from '../routing/extension.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import { TcpFraming } from '../streams/framing.ts';
import type { PeerConnection } from '../streams/stream-connection.ts';
import type { StreamPhase } from '../streams/stream-deadlines.ts';
import { isStreamError } from '../streams/stream-header.ts';
import type { AcceptedStream } from '../streams/stream-listener.ts';
import { StreamWire, type WireDeps, type WireUser } from '../streams/stream-wire.ts';
import type { TlsHandshake, TlsStart } from '../tls/tls-options.ts';
import type { Element } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';
import { Dialback, type DialbackDeps, type DialbackStream } from './dialback.ts';
import { type DomainPair, ProvenPairs } from './domain-pairs.ts';
import type { CertificateVerdict } from './peer-certificate.ts';
import type { PeerIntake } from './peer-intake.ts';
import { type ManagedPeer, PeerManagement, type PeerManagementDeps } from './peer-management.ts';
import type { PeerStreamReport } from './peer-report.ts';
import type { PeerRole, Proof } from './peer-role.ts';
import { isLegalStep, type PeerState, phaseOf } from './peer-state.ts';

/** Dependencies of streams between servers. */
export interface PeerStreamDeps extends WireDeps, DialbackDeps, PeerManagementDeps {
  readonly intake: PeerIntake;
  /** What the certificate that a connection has shown is worth. */
  readonly judge: (connection: PeerConnection, domain: string) => CertificateVerdict;
  /** Further elements of the stream features, only for information. */
  readonly notices: (stage: StreamStage, facts: { readonly host: string }) => readonly Element[];
  /** A stream that carried nothing for so long is closed. */
  readonly idleCloseMs: number;
}

const overTcp = new TcpFraming(ns.server);

/** One XML stream between two servers, whoever has opened it (RFC 6120 §4): what both sides have in common. */
export class PeerStream implements WireUser, AcceptedStream<PeerConnection>, DialbackStream, ManagedPeer {
  readonly wire: StreamWire<PeerConnection>;
  readonly proven = new ProvenPairs();
  readonly dialback: Dialback;
  readonly management: PeerManagement;
  readonly #over = Promise.withResolvers<void>();
  readonly #deps: PeerStreamDeps;
  readonly #role: PeerRole;
  #state: PeerState = { name: 'opening' };
  #headerSent = false;
  #told = false;
  #peerError: StreamError | undefined;
  #usedAtMs: number;
  /** The id that whoever answered the stream gave it; empty until then. */
  id = '';

  constructor(deps: PeerStreamDeps, takeRole: (stream: PeerStream) => PeerRole) {
    this.#deps = deps;
    this.wire = new StreamWire<PeerConnection>(this, deps, overTcp);
    this.dialback = new Dialback(this, deps);
    this.management = new PeerManagement(this, deps);
    this.#usedAtMs = deps.clock.monotonicMs();
    this.#role = takeRole(this);
  }

  /** Gives the stream its connection; with direct TLS (XEP-0368) complete the handshake first. */
  open(connection: PeerConnection, start: TlsStart): void {
    this.wire.attach(connection);
    if (start === 'direct') this.handshake('direct');
  }

  /** Resolves when the stream is over. */
  get ended(): Promise<void> {
    return this.#over.promise;
  }

  get role(): PeerRole {
    return this.#role;
  }

  get state(): PeerState['name'] {
    return this.#state.name;
  }

  get secure(): boolean {
    return this.wire.connection.secure;
  }

  get remoteAddress(): string {
    return this.wire.connection.remoteAddress;
  }

  get mayAsk(): boolean {
    return this.#role.mayAsk;
  }

  /** The stream as it is shown to the operator. */
  report(queued: number): PeerStreamReport {
    const { direction, local, remote, proof, bidirectional: bothWays } = this.#role;
    const { secure: tls, remoteAddress } = this.wire.connection;
    const { enabled: management, pending: unacknowledged } = this.management;
    const state = this.#state.name;
    return {
      local,
      remote,
      direction,
      bothWays,
      state,
      authenticatedBy: proof,
      tls,
      management,
      queued,
      unacknowledged,
      remoteAddress,
    };
  }

  certificateFor(domain: string): CertificateVerdict {
    return this.#deps.judge(this.wire.connection, domain);
  }

  provedBy(method: Proof, pair: DomainPair): void {
    this.#deps.log.info({ ...pair, method, secure: this.secure, address: this.remoteAddress }, 'peer authenticated');
    this.#role.provedBy(method, pair);
    if (this.#state.name === 'negotiating') this.flow();
  }

  // --- the connection and the wire tell

  received(chunk: Buffer): void {
    this.wire.received(chunk);
  }

  secured(): void {
    this.become({ name: 'opening' });
    this.#role.secured();
  }

  disconnected(): void {
    this.wire.disconnected();
  }

  tick(nowMs: number): void {
    this.wire.tick(nowMs);
    if (this.#state.name !== 'open') return;
    const { limits, idleCloseMs } = this.#deps;
    const { outgoingBytes } = this.wire.connection;
    if (outgoingBytes === 0 && this.management.unansweredMs(nowMs) > limits.idleCloseAfterMs) {
      return this.close(StreamError.connectionTimeout('the acknowledgment timed out'));
    }
    const idleMs = nowMs - this.#usedAtMs;
    if (this.management.pending === 0 && idleMs > idleCloseMs * this.#role.patience) this.close();
  }

  get phase(): StreamPhase {
    return phaseOf(this.#state);
  }

  opened(header: StreamHeader): void {
    if (this.#state.name !== 'opening') throw StreamError.badFormat('unexpected stream header');
    this.#role.opened(header);
  }

  took(frame: Frame): MaybePromise<void> {
    if (isStreamError(frame)) return this.#reproached(frame);
    switch (frame.ns) {
      case ns.server:
        if (this.#state.name !== 'open') throw StreamError.notAuthorized('authenticate before sending stanzas');
        this.#used();
        return this.management.count((ackScope) => this.#deps.intake.take(frame, this.proven, ackScope));
      case ns.streamManagement:
        if (this.#state.name === 'open') return this.management.take(frame);
        return this.send(managementFailed(StanzaError.unexpectedRequest()));
      case ns.dialback:
        if (this.#state.name !== 'open' && this.#state.name !== 'negotiating') throw StreamError.notAuthorized();
        return this.dialback.take(frame);
      default:
        return this.#role.take(frame);
    }
  }

  peerClosed(): void {
    this.close();
  }

  lost(): void {
    this.become({ name: 'closed' });
    this.#tell(this.#peerError);
  }

  /** There may be nothing to say on a stream that goes one way: a dead connection fails on white space in time. */
  keepAlive(): void {
    this.wire.deadlines.read();
    this.wire.connection.write(' ');
  }

  // --- the role and the owner tell

  send(element: Element): void {
    this.wire.send(element);
  }

  sendStanza(stanza: Stanza): void {
    this.#used();
    this.wire.sendStanza(stanza);
  }

  /** Opens our side of the stream (RFC 6120 §4.7). */
  sendHeader(to: string | undefined, id?: string): void {
    this.#headerSent = true;
    const from = this.#role.local;
    this.wire.sendHeader({ ...(id !== undefined && { id }), from, to });
  }

  /** The stream begins anew on the same connection (RFC 6120 §6.4.6). */
  restart(): void {
    this.become({ name: 'opening' });
    this.trust();
    this.wire.restart();
    this.#beginAnew();
  }

  /** Somebody is proven: from now on stanzas flow. */
  flow(): void {
    this.become({ name: 'open' });
    this.trust();
  }

  /** The peer has authenticated: the limits of its domain hold. */
  trust(): void {
    const { xml, rate } = this.#deps.policies.limits(this.#role.remote ?? '');
    this.wire.trust(xml, rate);
  }

  /** A TLS handshake begins; `goAhead` is written before it, if the peer has asked for it. */
  handshake(start: TlsHandshake, goAhead?: Element): void {
    if (this.#state.name !== 'securing') this.become({ name: 'securing' });
    this.#beginAnew();
    this.wire.handshake(start, this.#role.local, goAhead);
  }

  become(next: PeerState): void {
    if (!isLegalStep(this.#state.name, next.name)) throw new Error(`no step from ${this.#state.name} to ${next.name}`);
    // Whoever asks for TLS waits for a word before the handshake.
    if (next.name === 'securing') this.wire.deadlines.securing();
    this.#state = next;
  }

  /** Ends the stream; with an error it is told to the peer, always behind a header (RFC 6120 §4.9.1.2). */
  close(error?: StreamError): void {
    if (this.over) return;
    if (this.#state.name === 'securing') return this.abandon();
    if (!this.#headerSent) this.sendHeader(this.#role.remote);
    this.become({ name: 'closing' });
    this.#tell(error ?? this.#peerError);
    if (error) this.send(error.element());
    this.wire.close();
  }

  /** Takes nothing more; resolves when the peer knows how far what it has sent is dealt with (XEP-0198 §4). */
  async finish(): Promise<void> {
    this.wire.connection.pause('shutdown');
    await this.management.finish();
  }

  get over(): boolean {
    return this.#state.name === 'closing' || this.#state.name === 'closed';
  }

  /** What was known of the stream before counts no more (RFC 6120 §5.4.3.3, §6.4.6): who was asked about its id is not believed. */
  #beginAnew(): void {
    this.#headerSent = false;
    this.id = '';
  }

  #used(): void {
    this.#usedAtMs = this.#deps.clock.monotonicMs();
  }

  abandon(): void {
    this.wire.connection.destroy();
  }

  /** RFC 6120 §4.9.1.1: the peer has found something wrong and closes. */
  #reproached(frame: Frame): void {
    this.#peerError = StreamError.fromElement(frame.element());
    this.#deps.log.info(
      { address: this.remoteAddress, remote: this.#role.remote, error: this.#peerError.message },
      'stream error from a peer',
    );
    this.close();
  }

  #tell(error: StreamError | undefined): void {
    if (this.#told) return;
    this.#told = true;
    this.dialback.end();
    this.management.end();
    this.#role.ended?.(error);
    this.#over.resolve();
  }
}
