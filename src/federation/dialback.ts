import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Log } from '../support/log.ts';
import type { Element } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import type { DialbackKeys } from './dialback-keys.ts';
import { type DialbackAnswer, type DialbackMessage, dialbackElement, readDialback } from './dialback-message.ts';
import type { DomainPair, ProvenPairs } from './domain-pairs.ts';
import type { DomainPolicies } from './domain-policies.ts';
import type { CertificateVerdict } from './peer-certificate.ts';

/** A key from a peer, to be verified with the servers of the peer's domain. */
export interface ReceivedKey extends DomainPair {
  readonly streamId: string;
  readonly key: string;
}

/** The stream that carries dialback elements. */
export interface DialbackStream {
  /** The stream id, which the receiving server has chosen. */
  readonly id: string;
  readonly secure: boolean;
  /** Whether the stream has ended or is closing. */
  readonly over: boolean;
  /** Whether the peer may send requests. On an outgoing stream it may only answer, unless the stream is bidirectional. */
  readonly acceptsDialback: boolean;
  readonly proven: ProvenPairs;
  readonly remoteAddress: string;
  certificateFor(domain: string): CertificateVerdict;
  send(element: Element): void;
  close(error?: StreamError): void;
  /** The peer has proved a pair of domains. */
  provedBy(method: 'dialback', pair: DomainPair): void;
}

/** Dependencies of dialback. */
export interface DialbackDeps {
  readonly isHosted: (domain: string) => boolean;
  readonly policies: DomainPolicies;
  readonly keys: DialbackKeys;
  /** Verifies a key with the servers of the remote domain, over another stream than `source`. Never rejects. */
  readonly verify: (key: ReceivedKey, source: DialbackStream) => Promise<DialbackAnswer>;
  readonly log: Log;
}

/** Limits per stream: proven pairs of domains, and keys being verified at the same time. */
const maxPairs = 500;
const maxVerifying = 20;

/** Server Dialback on one stream, in all roles (XEP-0220). */
export class Dialback {
  readonly #stream: DialbackStream;
  readonly #deps: DialbackDeps;
  /** Our pending requests on this stream. An answer to anything else does not count (XEP-0220 §3.1). */
  readonly #pending = new Map<string, (answer: DialbackAnswer) => void>();
  #verifying = 0;

  constructor(stream: DialbackStream, deps: DialbackDeps) {
    this.#stream = stream;
    this.#deps = deps;
  }

  /** Takes a dialback element of the peer; throws StreamError. */
  take(frame: Frame): void {
    const message = readDialback(frame);
    if (message.answer !== undefined) return this.#answered(message, message.answer);
    if (!this.#stream.acceptsDialback) throw StreamError.notAuthorized('this stream does not accept dialback requests');
    if (message.kind === 'result') void this.#authorize(message);
    else this.#confirm(message);
  }

  /** Asks the peer to authorize us to send (XEP-0220 §2.1.1). */
  prove({ local, remote }: DomainPair): Promise<DialbackAnswer> {
    const streamId = this.#stream.id;
    const key = this.#deps.keys.make({ receiving: remote, originating: local, streamId });
    return this.#request({ kind: 'result', from: local, to: remote, key });
  }

  /** Asks the peer, as the authoritative server of its domain, to verify a key (XEP-0220 §2.1.2). Aborting `signal` resolves with an error. */
  verify({ local, remote, streamId, key }: ReceivedKey, signal: AbortSignal): Promise<DialbackAnswer> {
    const message: DialbackMessage = { kind: 'verify', from: local, to: remote, id: streamId, key };
    const answer = this.#request(message);
    const late = StanzaError.remoteServerTimeout('the authoritative server did not answer');
    signal.addEventListener('abort', () => this.#settle(keyOf(message), late));
    return answer;
  }

  /** The stream has ended: fails all pending requests. */
  end(): void {
    const asked = [...this.#pending.values()];
    this.#pending.clear();
    for (const settle of asked) settle(StanzaError.remoteServerTimeout('the stream ended'));
  }

  #request(message: DialbackMessage): Promise<DialbackAnswer> {
    const { promise, resolve } = Promise.withResolvers<DialbackAnswer>();
    const key = keyOf(message);
    // One answer would match both requests.
    this.#settle(key, StanzaError.remoteServerTimeout('replaced by a new request'));
    this.#pending.set(key, resolve);
    this.#stream.send(dialbackElement(message));
    return promise;
  }

  #answered(message: DialbackMessage, answer: DialbackAnswer): void {
    if (this.#settle(keyOf({ ...message, from: message.to, to: message.from }), answer)) return;
    this.#deps.log.info({ remote: this.#stream.remoteAddress, from: message.from }, 'unexpected dialback answer');
  }

  #settle(key: string, answer: DialbackAnswer): boolean {
    const settle = this.#pending.get(key);
    this.#pending.delete(key);
    settle?.(answer);
    return settle !== undefined;
  }

  /** Verifies a key as the authoritative server (XEP-0220 §2.2.2). */
  #confirm({ from, to, id = '', key = '' }: DialbackMessage): void {
    const valid = this.#deps.keys.verify(key, { receiving: from, originating: to, streamId: id });
    const known = valid ? 'valid' : 'invalid';
    const answer = this.#deps.isHosted(to) ? known : StanzaError.itemNotFound();
    this.#stream.send(dialbackElement({ kind: 'verify', from: to, to: from, id, answer }));
  }

  /** Authorizes the peer as the receiving server (XEP-0220 §2.2.1). */
  async #authorize({ from: remote, to: local, key = '' }: DialbackMessage): Promise<void> {
    const pair = { local, remote };
    const refusal = this.#refusal(pair);
    if (refusal) return this.#answerTo(pair, refusal);
    this.#verifying += 1;
    const streamId = this.#stream.id;
    const answer = await this.#deps.verify({ ...pair, streamId, key }, this.#stream);
    this.#verifying -= 1;
    // If the stream has ended or restarted, the key was for another stream.
    if (this.#stream.over || this.#stream.id !== streamId) return;
    if (answer === 'invalid') return this.#denied(pair);
    if (answer !== 'valid') return this.#answerTo(pair, explained(answer));
    this.#stream.proven.add(pair);
    this.#stream.provedBy('dialback', pair);
    this.#answerTo(pair, 'valid');
  }

  /** Why the key for a pair is not verified at all (XEP-0220 §2.5). */
  #refusal({ local, remote }: DomainPair): StanzaError | undefined {
    const { isHosted, policies } = this.#deps;
    const { secure, proven } = this.#stream;
    if (!isHosted(local)) return StanzaError.itemNotFound();
    // No peer can speak for a local domain.
    if (isHosted(remote)) return StanzaError.notAcceptable();
    if (!policies.allows(remote)) return StanzaError.forbidden();
    if (!secure && policies.tlsRequired(remote)) return StanzaError.policyViolation('TLS is required first');
    if (proven.size >= maxPairs || this.#verifying >= maxVerifying) return StanzaError.resourceConstraint();
    if (policies.authentication(remote) !== 'certificate') return undefined;
    const verdict = this.#stream.certificateFor(remote);
    return verdict.trusted ? undefined : StanzaError.notAuthorized(verdict.reason);
  }

  /** XEP-0220 §2.2.1: closes the stream unless the peer has already proved another pair. */
  #denied(pair: DomainPair): void {
    this.#deps.log.warn({ ...pair, address: this.#stream.remoteAddress }, 'wrong dialback key');
    if (this.#stream.proven.size > 0) return this.#answerTo(pair, StanzaError.forbidden());
    this.#answerTo(pair, 'invalid');
    this.#stream.close();
  }

  #answerTo({ local, remote }: DomainPair, answer: DialbackAnswer): void {
    this.#stream.send(dialbackElement({ kind: 'result', from: local, to: remote, answer }));
  }
}

/** XEP-0220 §2.5: reduces errors between us and the authoritative server to one condition. */
function explained(error: StanzaError): StanzaError {
  const told = error.condition === 'remote-server-timeout' || error.condition === 'resource-constraint';
  return told ? error : StanzaError.remoteServerNotFound(error.text);
}

/** The key that a request and its answer share. Ids come last because other servers choose them. */
function keyOf({ kind, from, to, id = '' }: DialbackMessage): string {
  return `${kind} ${from} ${to} ${id}`;
}
