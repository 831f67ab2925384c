import { StanzaError } from '../protocol/stanza-error.ts';
import { StreamError } from '../protocol/stream-error.ts';
import type { Log } from '../support/log.ts';
import type { Element } from '../xml/element.ts';
import type { Frame } from '../xml/frame.ts';
import type { DialbackKeys } from './dialback-keys.ts';
import { type DialbackAnswer, type DialbackWord, dialbackElement, readDialback } from './dialback-words.ts';
import type { DomainPair, ProvenPairs } from './domain-pairs.ts';
import type { DomainPolicies } from './domain-policies.ts';
import type { CertificateVerdict } from './peer-certificate.ts';

/** A key that somebody has sent us, to be shown to the servers of the domain it speaks for. */
export interface KeyQuestion extends DomainPair {
  readonly streamId: string;
  readonly key: string;
}

/** The stream that dialback is spoken on. */
export interface DialbackStream {
  /** The id that whoever answered the stream gave it. */
  readonly id: string;
  readonly secure: boolean;
  /** Whether it takes no more. */
  readonly over: boolean;
  /** Whether the peer may ask: on a stream of ours it only answers. */
  readonly mayAsk: boolean;
  readonly proven: ProvenPairs;
  readonly remoteAddress: string;
  certificateFor(domain: string): CertificateVerdict;
  send(element: Element): void;
  close(error?: StreamError): void;
  /** The peer has proved that it may send for a pair. */
  provedBy(method: 'dialback', pair: DomainPair): void;
}

/** Dependencies of dialback. */
export interface DialbackDeps {
  readonly isHosted: (domain: string) => boolean;
  readonly policies: DomainPolicies;
  readonly keys: DialbackKeys;
  /** Asks the servers of the remote domain, on another stream than `asking`. Never rejects. */
  readonly verify: (question: KeyQuestion, asking: DialbackStream) => Promise<DialbackAnswer>;
  readonly log: Log;
}

/** Pairs of domains one stream may ask for, and keys that may be under examination at once. */
const maxPairs = 500;
const maxUnderExamination = 20;

/** Server Dialback on one stream, in all its roles (XEP-0220). */
export class Dialback {
  readonly #stream: DialbackStream;
  readonly #deps: DialbackDeps;
  /** What we asked on this very stream: nothing else is an answer (XEP-0220 §3.1). */
  readonly #asked = new Map<string, (answer: DialbackAnswer) => void>();
  #underExamination = 0;

  constructor(stream: DialbackStream, deps: DialbackDeps) {
    this.#stream = stream;
    this.#deps = deps;
  }

  /** The peer says something; throws StreamError. */
  take(frame: Frame): void {
    const word = readDialback(frame);
    if (word.answer !== undefined) return this.#answered(word, word.answer);
    if (!this.#stream.mayAsk) throw StreamError.notAuthorized('this stream does not accept dialback requests');
    if (word.kind === 'result') void this.#authorize(word);
    else this.#confirm(word);
  }

  /** Asks the peer to let us send (XEP-0220 §2.1.1). */
  prove({ local, remote }: DomainPair): Promise<DialbackAnswer> {
    const streamId = this.#stream.id;
    const key = this.#deps.keys.make({ receiving: remote, originating: local, streamId });
    return this.#ask({ kind: 'result', from: local, to: remote, key });
  }

  /** Asks the peer, as the authority for its domain, about a key (XEP-0220 §2.1.2); an abort counts as its answer. */
  verify({ local, remote, streamId, key }: KeyQuestion, signal: AbortSignal): Promise<DialbackAnswer> {
    const word: DialbackWord = { kind: 'verify', from: local, to: remote, id: streamId, key };
    const answer = this.#ask(word);
    const late = StanzaError.remoteServerTimeout('the authoritative server did not answer');
    signal.addEventListener('abort', () => this.#settle(keyOf(word), late));
    return answer;
  }

  /** The stream is over: what has not been answered will not be. */
  end(): void {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const settle of asked) settle(StanzaError.remoteServerTimeout('the stream ended'));
  }

  #ask(word: DialbackWord): Promise<DialbackAnswer> {
    const { promise, resolve } = Promise.withResolvers<DialbackAnswer>();
    const key = keyOf(word);
    // Both have the same answer, and only one will come.
    this.#settle(key, StanzaError.remoteServerTimeout('replaced by a new request'));
    this.#asked.set(key, resolve);
    this.#stream.send(dialbackElement(word));
    return promise;
  }

  #answered(word: DialbackWord, answer: DialbackAnswer): void {
    if (this.#settle(keyOf({ ...word, from: word.to, to: word.from }), answer)) return;
    this.#deps.log.info({ remote: this.#stream.remoteAddress, from: word.from }, 'unexpected dialback answer');
  }

  #settle(key: string, answer: DialbackAnswer): boolean {
    const settle = this.#asked.get(key);
    this.#asked.delete(key);
    settle?.(answer);
    return settle !== undefined;
  }

  /** The authoritative server's part (XEP-0220 §2.2.2). */
  #confirm({ from, to, id = '', key = '' }: DialbackWord): void {
    const valid = this.#deps.keys.verify(key, { receiving: from, originating: to, streamId: id });
    const known = valid ? 'valid' : 'invalid';
    const answer = this.#deps.isHosted(to) ? known : StanzaError.itemNotFound();
    this.#stream.send(dialbackElement({ kind: 'verify', from: to, to: from, id, answer }));
  }

  /** The receiving server's part (XEP-0220 §2.2.1). */
  async #authorize({ from: remote, to: local, key = '' }: DialbackWord): Promise<void> {
    const pair = { local, remote };
    const refusal = this.#refusal(pair);
    if (refusal) return this.#tell(pair, refusal);
    this.#underExamination += 1;
    const streamId = this.#stream.id;
    const answer = await this.#deps.verify({ ...pair, streamId, key }, this.#stream);
    this.#underExamination -= 1;
    // The stream is over, or has begun anew: the key was for another one.
    if (this.#stream.over || this.#stream.id !== streamId) return;
    if (answer === 'invalid') return this.#denied(pair);
    if (answer !== 'valid') return this.#tell(pair, explained(answer));
    this.#stream.proven.add(pair);
    this.#stream.provedBy('dialback', pair);
    this.#tell(pair, 'valid');
  }

  /** Why a pair is not even looked into (XEP-0220 §2.5). */
  #refusal({ local, remote }: DomainPair): StanzaError | undefined {
    const { isHosted, policies } = this.#deps;
    const { secure, proven } = this.#stream;
    if (!isHosted(local)) return StanzaError.itemNotFound();
    // Who speaks for our own domains is us.
    if (isHosted(remote)) return StanzaError.notAcceptable();
    if (!policies.allows(remote)) return StanzaError.forbidden();
    if (!secure && policies.tlsRequired(remote)) return StanzaError.policyViolation('TLS is required first');
    if (proven.size >= maxPairs || this.#underExamination >= maxUnderExamination)
      return StanzaError.resourceConstraint();
    if (policies.authentication(remote) !== 'certificate') return undefined;
    const verdict = this.#stream.certificateFor(remote);
    return verdict.trusted ? undefined : StanzaError.notAuthorized(verdict.reason);
  }

  /** XEP-0220 §2.2.1: who has proved nothing yet is sent away. */
  #denied(pair: DomainPair): void {
    this.#deps.log.warn({ ...pair, address: this.#stream.remoteAddress }, 'wrong dialback key');
    if (this.#stream.proven.size > 0) return this.#tell(pair, StanzaError.forbidden());
    this.#tell(pair, 'invalid');
    this.#stream.close();
  }

  #tell({ local, remote }: DomainPair, answer: DialbackAnswer): void {
    this.#stream.send(dialbackElement({ kind: 'result', from: local, to: remote, answer }));
  }
}

/** XEP-0220 §2.5: what went wrong between us and the authoritative server is told in one word. */
function explained(error: StanzaError): StanzaError {
  const told = error.condition === 'remote-server-timeout' || error.condition === 'resource-constraint';
  return told ? error : StanzaError.remoteServerNotFound(error.text);
}

/** A question and its answer have the same key; ids are from other servers, so they come last. */
function keyOf({ kind, from, to, id = '' }: DialbackWord): string {
  return `${kind} ${from} ${to} ${id}`;
}
