import { domainOrNothing } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { childElements, type Element, nsOf, textOf, xml } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';
import { DialFailure } from './dial-failure.ts';
import type { DialbackAnswer } from './dialback-message.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { PeerRole, Proof } from './peer-role.ts';
import { PeerStream, type PeerStreamDeps } from './peer-stream.ts';

/** The purpose of an outgoing stream. */
export interface StreamRequest extends DomainPair {
  /** To send stanzas, or only to verify a key. */
  readonly purpose: 'send' | 'verify';
  /** Whether to authenticate with our certificate. */
  readonly external: boolean;
}

/** An outgoing stream that is ready for its purpose. */
export interface Established {
  readonly stream: PeerStream;
  /** How we have authenticated; undefined if the stream only verifies a key. */
  readonly proof: Proof | undefined;
  /** The last stream features. */
  readonly features: readonly Element[];
}

/** An outgoing stream and the result of its negotiation. */
export interface Opening {
  readonly stream: PeerStream;
  /** Rejects with DialFailure. */
  readonly established: Promise<Established>;
  /** Ends the stream. The failure names what the peer did not send in time. */
  giveUp(reason: DialFailure): void;
}

/** Prepares an outgoing stream. It starts when it has its connection and `begin` is called. */
export function openingTo(request: StreamRequest, deps: PeerStreamDeps): Opening & { begin(): void } {
  let role: ServerStreamOut | undefined;
  const stream = new PeerStream(deps, (own) => {
    role = new ServerStreamOut(own, request, deps);
    return role;
  });
  if (!role) throw new Error('a stream has a role');
  const { established, begin, giveUp } = role;
  return { stream, established: established.promise, begin, giveUp };
}

/** The initiating side of a stream between servers (RFC 6120 §4.3, §5.4, §6.4; XEP-0178 §3, XEP-0220 §2.1). */
class ServerStreamOut implements PeerRole {
  readonly direction = 'out';
  readonly idleFactor = 1;
  readonly established = Promise.withResolvers<Established>();
  readonly #stream: PeerStream;
  readonly #request: StreamRequest;
  readonly #deps: PeerStreamDeps;
  #certified = false;
  #bidirectional = false;
  /** Whether the peer's header announces dialback (XEP-0220 §2.4.1). */
  #dialback = false;
  #failure: DialFailure | undefined;
  #proof: Proof | undefined;
  /** What the peer must send next, for operators. */
  #expected = 'the end of the TLS handshake';

  constructor(stream: PeerStream, request: StreamRequest, deps: PeerStreamDeps) {
    this.#stream = stream;
    this.#request = request;
    this.#deps = deps;
    this.established.promise.catch(() => undefined);
  }

  get local(): string {
    return this.#request.local;
  }

  get remote(): string {
    return this.#request.remote;
  }

  get bidirectional(): boolean {
    return this.#bidirectional;
  }

  get acceptsDialback(): boolean {
    return this.#bidirectional;
  }

  get proof(): Proof | undefined {
    return this.#proof;
  }

  /** The connection is established. */
  readonly begin = (): void => {
    if (this.#stream.state !== 'opening') return;
    this.#expected = 'its stream header';
    this.#stream.sendHeader(this.remote);
  };

  readonly giveUp = ({ message, error }: DialFailure): void => {
    this.#failure ??= new DialFailure(`${message}: ${this.#expected} did not arrive`, error);
    this.#stream.abandon();
  };

  secured(): void {
    this.begin();
  }

  opened(header: StreamHeader): void {
    this.#stream.wire.framing.check(header);
    const from = header.attribute('from');
    if (from !== undefined && domainOrNothing(from) !== this.remote) throw StreamError.invalidFrom();
    this.#stream.id = header.attribute('id') ?? '';
    this.#dialback = [...header.prefixes.values()].includes(ns.dialback);
    this.#stream.become({ name: 'negotiating' });
    this.#expected = 'its stream features';
  }

  take(frame: Frame): void {
    const { state } = this.#stream;
    const word = `${frame.ns} ${frame.name}`;
    switch (word) {
      case `${ns.stream} features`:
        return state === 'negotiating' ? this.#choose(childElements(frame.element())) : undefined;
      case `${ns.tls} proceed`:
        if (state !== 'securing') break;
        this.#expected = 'the end of the TLS handshake';
        return this.#stream.wire.turnSecure(() => this.#stream.handshake('starttls'));
      case `${ns.tls} failure`:
        return this.#fail(DialFailure.unreachable('the server failed to start TLS'));
      case `${ns.sasl} success`:
        if (state !== 'authenticating') break;
        return this.#succeeded();
      case `${ns.sasl} failure`:
        if (state !== 'authenticating') break;
        return this.#fail(this.#refused(frame.element()));
    }
    throw StreamError.unsupportedStanzaType(`unexpected element <${frame.name}/>`);
  }

  provedBy(): void {
    // On an outgoing stream the peer proves nothing to us.
  }

  ended(error: StreamError | undefined): void {
    const forbidden = !this.#deps.policies.allows(this.remote);
    this.established.reject(this.#failure ?? (forbidden ? DialFailure.forbidden(this.remote) : this.#endedBy(error)));
  }

  /** Negotiates TLS first, then authentication, then the rest (RFC 6120 §4.3.2). */
  #choose(features: readonly Element[]): void {
    if (!this.#stream.secure && has(features, 'starttls', ns.tls)) return this.#askForTls();
    const refusal = this.#policyRefusal();
    if (refusal) return this.#fail(refusal);
    if (this.#certified) return this.#succeed(features, 'certificate');
    if (this.#request.purpose === 'verify') return this.#succeed(features, undefined);
    if (has(features, 'bidi', ns.bidiFeature)) this.#requestBidi();
    if (this.#stream.secure && this.#request.external && offersExternal(features)) return this.#useCertificate();
    if (this.#dialback || has(features, 'dialback', ns.dialbackFeature)) return void this.#useDialback(features);
    this.#fail(DialFailure.notFound(`${this.remote} accepts neither our certificate nor dialback`));
  }

  #askForTls(): void {
    this.#stream.become({ name: 'securing' });
    this.#expected = 'its answer to STARTTLS';
    this.#stream.send(xml('starttls', { xmlns: ns.tls }));
  }

  /** Why policy forbids this stream: stanzas must reach only the domain they are for (RFC 6120 §13.7.2). */
  #policyRefusal(): DialFailure | undefined {
    const { policies } = this.#deps;
    // Checked before, but a reload may have changed it.
    if (!policies.allows(this.remote)) return DialFailure.forbidden(this.remote);
    if (!this.#stream.secure) {
      const required = policies.tlsRequired(this.remote);
      return required ? DialFailure.notFound(`${this.remote} does not offer TLS`, 'no TLS') : undefined;
    }
    if (policies.authentication(this.remote) !== 'certificate') return undefined;
    const verdict = this.#stream.certificateFor(this.remote);
    return verdict.trusted ? undefined : DialFailure.notFound(`certificate: ${verdict.reason}`, 'no valid certificate');
  }

  /** Requests a bidirectional stream, which must precede our authentication (XEP-0288 §2.2). */
  #requestBidi(): void {
    this.#bidirectional = true;
    this.#stream.send(xml('bidi', { xmlns: ns.bidi }));
  }

  #useCertificate(): void {
    this.#stream.become({ name: 'authenticating' });
    this.#expected = 'its answer to our certificate';
    const identity = Buffer.from(this.local).toString('base64');
    this.#stream.send(xml('auth', { xmlns: ns.sasl, mechanism: 'EXTERNAL' }, identity));
  }

  #succeeded(): void {
    this.#certified = true;
    this.#stream.restart();
    this.#expected = 'its stream header';
    this.#stream.sendHeader(this.remote);
  }

  async #useDialback(features: readonly Element[]): Promise<void> {
    this.#stream.flow();
    this.#expected = 'its answer to our dialback key';
    const answer = await this.#stream.dialback.prove(this.#request);
    if (answer === 'valid') this.#established(features, 'dialback');
    else this.#fail(dialbackFailure(answer));
  }

  #succeed(features: readonly Element[], proof: Proof | undefined): void {
    this.#stream.flow();
    this.#established(features, proof);
  }

  #established(features: readonly Element[], proof: Proof | undefined): void {
    this.#proof = proof;
    // The identity of the peer is as certain as for the stanzas sent to it.
    if (proof && this.#bidirectional) this.#stream.proven.add(this.#request);
    if (proof && has(features, 'sm', ns.streamManagement)) this.#stream.management.begin();
    this.established.resolve({ stream: this.#stream, proof, features });
  }

  #endedBy(error: StreamError | undefined): DialFailure {
    if (!error) return DialFailure.unreachable(`the connection was lost before ${this.#expected}`);
    const message = `the stream ended before ${this.#expected}: ${error.message}`;
    const unknown = error.condition === 'host-unknown' || error.condition === 'host-gone';
    return unknown ? DialFailure.notFound(message) : DialFailure.unreachable(message);
  }

  #refused(failure: Element): DialFailure {
    const conditions = childElements(failure).map((child) => child.getName());
    const message = `${this.remote} refuses our certificate: ${conditions.join(' ')}`;
    return new DialFailure(message, StanzaError.remoteServerNotFound(), true);
  }

  #fail(failure: DialFailure): void {
    this.#failure ??= failure;
    this.established.reject(failure);
    this.#stream.close();
  }
}

/** XEP-0220 §2.1.1: the failure for the senders of waiting stanzas. */
function dialbackFailure(answer: Exclude<DialbackAnswer, 'valid'>): DialFailure {
  if (answer === 'invalid') return new DialFailure('dialback: invalid', StanzaError.internalServerError());
  return DialFailure.unreachable(`dialback: ${answer.message}`);
}

function has(features: readonly Element[], name: string, namespace: string): boolean {
  return features.some((feature) => feature.getName() === name && nsOf(feature) === namespace);
}

function offersExternal(features: readonly Element[]): boolean {
  const mechanisms = features.filter((feature) => feature.getName() === 'mechanisms' && nsOf(feature) === ns.sasl);
  return mechanisms.flatMap(childElements).some((mechanism) => textOf(mechanism).trim() === 'EXTERNAL');
}
