import { domainOrNothing } from '../protocol/jid-or-nothing.ts';
import { ns } from '../protocol/namespaces.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import { childElements, type Element, nsOf, textOf, xml } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import type { StreamHeader } from '../xml/stream-reader.ts';
import { DialFailure } from './dial-failure.ts';
import type { DialbackAnswer } from './dialback-words.ts';
import type { DomainPair } from './domain-pairs.ts';
import type { PeerRole, Proof } from './peer-role.ts';
import { PeerStream, type PeerStreamDeps } from './peer-stream.ts';

/** What a stream is opened for. */
export interface Errand extends DomainPair {
  /** To send stanzas, or only to ask about a key. */
  readonly purpose: 'send' | 'verify';
  /** Whether our certificate may be tried. */
  readonly external: boolean;
}

/** A stream that may be used for what it was opened for. */
export interface Established {
  readonly stream: PeerStream;
  /** How we have proved who we are; not at all if there was only a key to ask about. */
  readonly proof: Proof | undefined;
  /** The last stream features. */
  readonly features: readonly Element[];
}

/** A stream that we open to another server, and how that ends. */
export interface Opening {
  readonly stream: PeerStream;
  /** Rejects with DialFailure. */
  readonly established: Promise<Established>;
  /** Ends it for a reason, to which is added what has not come. */
  giveUp(reason: DialFailure): void;
}

/** Prepares a stream to another server: it begins when it is given its connection, and `begin` is called. */
export function openingTo(errand: Errand, deps: PeerStreamDeps): Opening & { begin(): void } {
  let role: ServerStreamOut | undefined;
  const stream = new PeerStream(deps, (own) => {
    role = new ServerStreamOut(own, errand, deps);
    return role;
  });
  if (!role) throw new Error('a stream has a role');
  const { established, begin, giveUp } = role;
  return { stream, established: established.promise, begin, giveUp };
}

/** The asking side of a stream between servers (RFC 6120 §4.3, §5.4, §6.4; XEP-0178 §3, XEP-0220 §2.1). */
class ServerStreamOut implements PeerRole {
  readonly direction = 'out';
  readonly patience = 1;
  readonly established = Promise.withResolvers<Established>();
  readonly #stream: PeerStream;
  readonly #errand: Errand;
  readonly #deps: PeerStreamDeps;
  #certified = false;
  #bidirectional = false;
  /** Whether the peer's header said that it knows dialback (XEP-0220 §2.4.1). */
  #dialback = false;
  #failure: DialFailure | undefined;
  #proof: Proof | undefined;
  /** What is due from the peer, for operators. */
  #due = 'the end of the TLS handshake';

  constructor(stream: PeerStream, errand: Errand, deps: PeerStreamDeps) {
    this.#stream = stream;
    this.#errand = errand;
    this.#deps = deps;
    this.established.promise.catch(() => undefined);
  }

  get local(): string {
    return this.#errand.local;
  }

  get remote(): string {
    return this.#errand.remote;
  }

  get bidirectional(): boolean {
    return this.#bidirectional;
  }

  get mayAsk(): boolean {
    return this.#bidirectional;
  }

  get proof(): Proof | undefined {
    return this.#proof;
  }

  /** The connection is there. */
  readonly begin = (): void => {
    if (this.#stream.state !== 'opening') return;
    this.#due = 'its stream header';
    this.#stream.sendHeader(this.remote);
  };

  readonly giveUp = ({ message, error }: DialFailure): void => {
    this.#failure ??= new DialFailure(`${message}: ${this.#due} did not come`, error);
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
    this.#due = 'its stream features';
  }

  take(frame: Frame): void {
    const { state } = this.#stream;
    const word = `${frame.ns} ${frame.name}`;
    switch (word) {
      case `${ns.stream} features`:
        return state === 'negotiating' ? this.#choose(childElements(frame.element())) : undefined;
      case `${ns.tls} proceed`:
        if (state !== 'securing') break;
        this.#due = 'the end of the TLS handshake';
        return this.#stream.wire.turnSecure(() => this.#stream.handshake('starttls'));
      case `${ns.tls} failure`:
        return this.#fail(DialFailure.unreachable('the server has failed to start TLS'));
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
    // Nobody proves anything to us on a stream of ours.
  }

  ended(error: StreamError | undefined): void {
    const forbidden = !this.#deps.policies.allows(this.remote);
    this.established.reject(this.#failure ?? (forbidden ? DialFailure.forbidden(this.remote) : this.#endedBy(error)));
  }

  /** RFC 6120 §4.3.2: TLS, then who we are, then what else there is. */
  #choose(features: readonly Element[]): void {
    if (!this.#stream.secure && has(features, 'starttls', ns.tls)) return this.#askForTls();
    const refusal = this.#policyRefusal();
    if (refusal) return this.#fail(refusal);
    if (this.#certified) return this.#succeed(features, 'certificate');
    if (this.#errand.purpose === 'verify') return this.#succeed(features, undefined);
    if (has(features, 'bidi', ns.bidiFeature)) this.#goBothWays();
    if (this.#stream.secure && this.#errand.external && offersExternal(features)) return this.#showCertificate();
    if (this.#dialback || has(features, 'dialback', ns.dialbackFeature)) return void this.#dialBack(features);
    this.#fail(DialFailure.notFound(`${this.remote} takes neither our certificate nor dialback`));
  }

  #askForTls(): void {
    this.#stream.become({ name: 'securing' });
    this.#due = 'its leave to start TLS';
    this.#stream.send(xml('starttls', { xmlns: ns.tls }));
  }

  /** What is to be sent must not get to anybody else than the domain it is for (RFC 6120 §13.7.2). */
  #policyRefusal(): DialFailure | undefined {
    const { policies } = this.#deps;
    // Looked at before, but a reload may have changed it.
    if (!policies.allows(this.remote)) return DialFailure.forbidden(this.remote);
    if (!this.#stream.secure) {
      const required = policies.tlsRequired(this.remote);
      return required ? DialFailure.notFound(`${this.remote} does not offer TLS`, 'no TLS') : undefined;
    }
    if (policies.authentication(this.remote) !== 'certificate') return undefined;
    const verdict = this.#stream.certificateFor(this.remote);
    return verdict.trusted ? undefined : DialFailure.notFound(`certificate: ${verdict.reason}`, 'no valid certificate');
  }

  /** XEP-0288 §2.2: asked for before we are proven. */
  #goBothWays(): void {
    this.#bidirectional = true;
    this.#stream.send(xml('bidi', { xmlns: ns.bidi }));
  }

  #showCertificate(): void {
    this.#stream.become({ name: 'authenticating' });
    this.#due = 'its word on our certificate';
    const identity = Buffer.from(this.local).toString('base64');
    this.#stream.send(xml('auth', { xmlns: ns.sasl, mechanism: 'EXTERNAL' }, identity));
  }

  #succeeded(): void {
    this.#certified = true;
    this.#stream.restart();
    this.#due = 'its stream header';
    this.#stream.sendHeader(this.remote);
  }

  async #dialBack(features: readonly Element[]): Promise<void> {
    this.#stream.flow();
    this.#due = 'its answer to our dialback key';
    const answer = await this.#stream.dialback.prove(this.#errand);
    if (answer === 'valid') this.#established(features, 'dialback');
    else this.#fail(dialbackFailure(answer));
  }

  #succeed(features: readonly Element[], proof: Proof | undefined): void {
    this.#stream.flow();
    this.#established(features, proof);
  }

  #established(features: readonly Element[], proof: Proof | undefined): void {
    this.#proof = proof;
    // Who is behind this stream is as certain as it is for what we send by it.
    if (proof && this.#bidirectional) this.#stream.proven.add(this.#errand);
    if (proof && has(features, 'sm', ns.streamManagement)) this.#stream.management.begin();
    this.established.resolve({ stream: this.#stream, proof, features });
  }

  #endedBy(error: StreamError | undefined): DialFailure {
    if (!error) return DialFailure.unreachable(`the connection was lost before ${this.#due}`);
    const message = `the stream has ended before ${this.#due}: ${error.message}`;
    const unknown = error.condition === 'host-unknown' || error.condition === 'host-gone';
    return unknown ? DialFailure.notFound(message) : DialFailure.unreachable(message);
  }

  #refused(failure: Element): DialFailure {
    const conditions = childElements(failure).map((child) => child.getName());
    const message = `${this.remote} does not take our certificate: ${conditions.join(' ')}`;
    return new DialFailure(message, StanzaError.remoteServerNotFound(), true);
  }

  #fail(failure: DialFailure): void {
    this.#failure ??= failure;
    this.established.reject(failure);
    this.#stream.close();
  }
}

/** XEP-0220 §2.1.1: what is told to those whose stanzas wait. */
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
