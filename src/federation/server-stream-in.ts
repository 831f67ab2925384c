import { limitsElement } from '../c2s/negotiation/advertised-limits.ts';
import { decodeInitialResponse } from '../c2s/negotiation/sasl/strict-base64.ts';
import { domainOrNothing } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import { randomId } from '../protocol/random-id.ts';
import { SaslFailure } from '../protocol/sasl-failure.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { managementFeature } from '../protocol/stream-management.ts';
import { localDomain } from '../streams/stream-header.ts';
import { type Element, textOf, xml } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { PeerRole, Proof } from './peer-role.ts';
import { PeerStream, type PeerStreamDeps } from './peer-stream.ts';

/** Callbacks of an incoming stream. */
interface ServerStreamInEvents {
  /** The peer has authenticated. */
  authenticated(): void;
  proved(stream: PeerStream, pair: DomainPair, method: Proof): void;
}

/** Makes a stream that another server has opened. */
export function answerServer(deps: PeerStreamDeps, events: ServerStreamInEvents): PeerStream {
  return new PeerStream(deps, (stream) => new ServerStreamIn(stream, deps, events));
}

/** The receiving side of a stream between servers (RFC 6120 §4.3, §5.4, §6.4; XEP-0178 §3). */
class ServerStreamIn implements PeerRole {
  readonly direction = 'in';
  readonly acceptsDialback = true;
  // The initiating side should close an idle stream, so that no stanza in flight is lost.
  readonly idleFactor = 2;
  readonly #stream: PeerStream;
  readonly #deps: PeerStreamDeps;
  readonly #events: ServerStreamInEvents;
  #local: string | undefined;
  #remote: string | undefined;
  /** The domain that the peer's certificate has proved. */
  #certified: string | undefined;
  #bidirectional = false;
  #failures = 0;
  #proof: Proof | undefined;

  constructor(stream: PeerStream, deps: PeerStreamDeps, events: ServerStreamInEvents) {
    this.#stream = stream;
    this.#deps = deps;
    this.#events = events;
  }

  get local(): string | undefined {
    return this.#local;
  }

  get remote(): string | undefined {
    return this.#remote;
  }

  get bidirectional(): boolean {
    return this.#bidirectional;
  }

  get proof(): Proof | undefined {
    return this.#proof;
  }

  opened(header: StreamHeader): void {
    const to = header.attribute('to');
    const from = header.attribute('from');
    const local = to === undefined ? undefined : localDomain(to, this.#deps.isHosted);
    const remote = from === undefined ? undefined : domainOrNothing(from);
    this.#answerHeader(local, from);
    this.#stream.wire.framing.check(header);
    if (from !== undefined && remote === undefined) throw StreamError.improperAddressing("'from' is not a domain");
    if (to === undefined) throw StreamError.improperAddressing("the stream header needs a 'to'");
    if (local === undefined || (this.#local !== undefined && local !== this.#local)) throw StreamError.hostUnknown();
    this.#checkRemote(remote);
    this.#local = local;
    this.#remote = remote ?? this.#remote;
    this.#negotiate(local);
  }

  take(frame: Frame): void {
    if (frame.ns === ns.tls && frame.name === 'starttls') return this.#secure();
    if (frame.ns === ns.sasl) return this.#authenticate(frame);
    if (frame.ns === ns.bidi && frame.name === 'bidi') return this.#enableBidi();
    throw StreamError.unsupportedStanzaType(`unknown element <${frame.name}/>`);
  }

  secured(): void {
    this.#bidirectional = false;
  }

  provedBy(method: Proof, pair: DomainPair): void {
    // The header only claims a domain: limits and pings must use the proven one.
    if (this.#proof === undefined) this.#remote = pair.remote;
    this.#proof = method;
    this.#events.authenticated();
    this.#events.proved(this.#stream, pair, method);
  }

  #answerHeader(local: string | undefined, to: string | undefined): void {
    this.#local ??= local;
    this.#stream.id = randomId();
    this.#stream.sendHeader(to, this.#stream.id);
  }

  #checkRemote(remote: string | undefined): void {
    const { isHosted, policies } = this.#deps;
    if (remote === undefined) return;
    // No peer can speak for a local domain. A server that connects to itself ends here, too.
    if (isHosted(remote)) throw StreamError.invalidFrom();
    if (!policies.allows(remote)) throw StreamError.policyViolation(`streams with ${remote} are not allowed`);
    if (this.#certified !== undefined && remote !== this.#certified) throw StreamError.invalidFrom();
  }

  #negotiate(local: string): void {
    this.#stream.become({ name: 'negotiating' });
    const remote = this.#certified;
    if (remote !== undefined) {
      this.#stream.proven.certify(remote);
      this.#stream.proven.add({ local, remote });
      this.#stream.provedBy('certificate', { local, remote });
    }
    this.#stream.send(xml('stream:features', {}, ...this.#offers(local)));
  }

  #offers(local: string): Element[] {
    const { secure } = this.#stream;
    const { policies, notices } = this.#deps;
    const tlsRequired = policies.tlsRequired(this.#remote ?? '');
    if (!secure && tlsRequired) return [starttls(true)];
    const external = this.#certified === undefined && this.#certificateConvinces();
    return [
      ...(secure ? [] : [starttls(false)]),
      ...(external ? [xml('mechanisms', { xmlns: ns.sasl }, xml('mechanism', {}, 'EXTERNAL'))] : []),
      xml('dialback', { xmlns: ns.dialbackFeature }, xml('errors')),
      ...(this.#certified === undefined ? [xml('bidi', { xmlns: ns.bidiFeature })] : []),
      managementFeature(),
      ...this.#limits(),
      ...notices('server', { host: local }),
    ];
  }

  /** Only after authentication: no features follow dialback, so a peer would keep to the limits announced before it. */
  #limits(): Element[] {
    const { policies, idleCloseMs } = this.#deps;
    if (this.#certified === undefined) return [];
    return [limitsElement(policies.limits(this.#certified).xml.maxBytes, idleCloseMs * this.idleFactor)];
  }

  #certificateConvinces(): boolean {
    const remote = this.#remote;
    return this.#stream.secure && remote !== undefined && this.#stream.certificateFor(remote).trusted;
  }

  #secure(): void {
    if (this.#stream.secure || this.#stream.state !== 'negotiating') {
      this.#stream.send(xml('failure', { xmlns: ns.tls }));
      throw StreamError.policyViolation('TLS was not offered');
    }
    this.#stream.wire.turnSecure(() => this.#stream.handshake('starttls', xml('proceed', { xmlns: ns.tls })));
  }

  /** XEP-0288 §2.2: allowed only before the peer is proven. */
  #enableBidi(): void {
    if (this.#stream.state !== 'negotiating')
      throw StreamError.policyViolation('too late to request a bidirectional stream');
    this.#bidirectional = true;
  }

  #authenticate(frame: Frame): void {
    if (this.#stream.state !== 'negotiating') throw StreamError.policyViolation('only one authentication is allowed');
    try {
      this.#certified = this.#proven(frame);
    } catch (error) {
      if (!(error instanceof SaslFailure)) throw error;
      return this.#refuse(error);
    }
    this.#stream.send(xml('success', { xmlns: ns.sasl }));
    this.#stream.restart();
  }

  /** The domain that the peer proves with EXTERNAL (RFC 4422 appendix A, XEP-0178 §3); throws SaslFailure. */
  #proven(frame: Frame): string {
    const remote = this.#remote;
    if (frame.name !== 'auth') throw SaslFailure.malformedRequest();
    if (frame.attribute('mechanism') !== 'EXTERNAL') throw SaslFailure.invalidMechanism();
    if (!this.#stream.secure) throw SaslFailure.encryptionRequired();
    if (remote === undefined) throw SaslFailure.invalidAuthzid("the stream header had no 'from'");
    const claimed = (decodeInitialResponse(textOf(frame.element()).trim()) ?? '').toString();
    if (claimed !== '' && domainOrNothing(claimed) !== remote) throw SaslFailure.invalidAuthzid();
    const verdict = this.#stream.certificateFor(remote);
    if (!verdict.trusted) throw SaslFailure.notAuthorized(verdict.reason);
    return remote;
  }

  #refuse(failure: SaslFailure): void {
    const { condition, text } = failure;
    this.#deps.log.info({ condition, text, remote: this.#remote }, 'EXTERNAL failed');
    this.#stream.send(failure.element());
    this.#failures += 1;
    if (this.#failures >= this.#deps.limits.authenticationFailures) {
      throw StreamError.policyViolation('too many failed authentications');
    }
  }
}

function starttls(required: boolean): Element {
  return xml('starttls', { xmlns: ns.tls }, required ? xml('required') : undefined);
}
