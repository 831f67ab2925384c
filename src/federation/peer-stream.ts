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
  /** Judges the peer's certificate on a connection. */
  readonly judge: (connection: PeerConnection, domain: string) => CertificateVerdict;
  /** Informational elements of the stream features. */
  readonly notices: (stage: StreamStage, facts: { readonly host: string }) => readonly Element[];
  /** Time without stanzas after which a stream is closed. */
  readonly idleCloseMs: number;
}

const overTcp = new TcpFraming(ns.server);

/** One XML stream between two servers, in either direction (RFC 6120 §4): the parts that both roles share. */
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
  #endReported = false;
  #broken = false;
  #peerError: StreamError | undefined;
  #usedAtMs: number;
  /** The stream id, which the receiving server has chosen; empty until then. */
  id = '';

  constructor(deps: PeerStreamDeps, takeRole: (stream: PeerStream) => PeerRole) {
    this.#deps = deps;
    this.wire = new StreamWire<PeerConnection>(this, deps, overTcp);
    this.dialback = new Dialback(this, deps);
    this.management = new PeerManagement(this, deps);
    this.#usedAtMs = deps.clock.monotonicMs();
    this.#role = takeRole(this);
  }

  /** Attaches the connection. With direct TLS (XEP-0368) the handshake comes first. */
  open(connection: PeerConnection, start: TlsStart): void {
    this.wire.attach(connection);
    if (start === 'direct') this.handshake('direct');
  }

  /** Resolves when the stream has ended. */
  get ended(): Promise<void> {
    return this.#over.promise;
  }

  /** Whether the stream has ended with an error, or without a closing tag: stanzas on their way may be lost. */
  get broken(): boolean {
    return this.#broken;
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

  get peer(): string {
    return this.#role.remote ?? this.remoteAddress;
  }

  get acceptsDialback(): boolean {
    return this.#role.acceptsDialback;
  }

  /** The stream as shown to the operator. */
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

  // --- called by the connection and the wire

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
    if (this.management.pending === 0 && idleMs > idleCloseMs * this.#role.idleFactor) this.close();
  }

  get phase(): StreamPhase {
    return phaseOf(this.#state);
  }

  opened(header: StreamHeader): void {
    if (this.#state.name !== 'opening') throw StreamError.badFormat('unexpected stream header');
    this.#role.opened(header);
  }

  took(frame: Frame): MaybePromise<void> {
    if (isStreamError(frame)) return this.#peerFailed(frame);
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
    if (!this.over) this.#broken = true;
    this.become({ name: 'closed' });
    this.#reportEnd(this.#peerError);
  }

  /** Sends white space, so that a dead connection is detected even if a one-way stream has nothing to carry. */
  keepAlive(): void {
    this.wire.deadlines.read();
    this.wire.connection.write(' ');
  }

  // --- called by the role and the owner

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

  /** Restarts the stream on the same connection (RFC 6120 §6.4.6). */
  restart(): void {
    this.become({ name: 'opening' });
    this.trust();
    this.wire.restart();
    this.#forgetHeader();
  }

  /** A domain is proved: stanzas may be exchanged from now on. */
  flow(): void {
    this.become({ name: 'open' });
    this.trust();
  }

  /** The peer has authenticated: applies the limits of its domain. */
  trust(): void {
    const { xml, rate } = this.#deps.policies.limits(this.#role.remote ?? '');
    this.wire.trust(xml, rate);
  }

  /** Starts a TLS handshake. `goAhead` is written before it, if the peer has requested TLS. */
  handshake(start: TlsHandshake, goAhead?: Element): void {
    if (this.#state.name !== 'securing') this.become({ name: 'securing' });
    this.#forgetHeader();
    this.wire.handshake(start, this.#role.local, goAhead);
  }

  become(next: PeerState): void {
    if (!isLegalStep(this.#state.name, next.name)) throw new Error(`no step from ${this.#state.name} to ${next.name}`);
    // The initiating side waits for <proceed/> before the handshake.
    if (next.name === 'securing') this.wire.deadlines.securing();
    this.#state = next;
  }

  /** Ends the stream. An error is sent to the peer, always after a header (RFC 6120 §4.9.1.2). */
  close(error?: StreamError): void {
    if (this.over) return;
    if (this.#state.name === 'securing') return this.abandon();
    if (!this.#headerSent) this.sendHeader(this.#role.remote);
    this.become({ name: 'closing' });
    if (error ?? this.#peerError) this.#broken = true;
    this.#reportEnd(error ?? this.#peerError);
    if (error) this.send(error.element());
    this.wire.close();
  }

  /** Stops reading; resolves when the peer's stanzas are acknowledged (XEP-0198 §4). */
  async finish(): Promise<void> {
    this.wire.connection.pause('shutdown');
    await this.management.finish();
  }

  get over(): boolean {
    return this.#state.name === 'closing' || this.#state.name === 'closed';
  }

  /** Discards the header and id of the stream so far (RFC 6120 §5.4.3.3, §6.4.6). Dialback answers for the old id no longer count. */
  #forgetHeader(): void {
    this.#headerSent = false;
    this.id = '';
  }

  #used(): void {
    this.#usedAtMs = this.#deps.clock.monotonicMs();
  }

  abandon(): void {
    this.wire.connection.destroy();
  }

  /** RFC 6120 §4.9.1.1: the peer reports a stream error and closes. */
  #peerFailed(frame: Frame): void {
    this.#peerError = StreamError.fromElement(frame.element());
    this.#deps.log.info(
      { address: this.remoteAddress, remote: this.#role.remote, error: this.#peerError.message },
      'stream error from a peer',
    );
    this.close();
  }

  #reportEnd(error: StreamError | undefined): void {
    if (this.#endReported) return;
    this.#endReported = true;
    this.dialback.end();
    this.management.end();
    this.#role.ended?.(error);
    this.#over.resolve();
  }
}
