import type { Jid } from '../../protocol/jid.ts';
import { SaslFailure } from '../../protocol/sasl-failure.ts';
import { StreamError } from '../../protocol/stream-error.ts';
import { type MaybePromise, then } from '../../routing/maybe-promise.ts';
import type { Element } from '../../xml/element.ts';
import type { Frame } from '../../xml/frame.ts';
import type { SaslExchange, SaslStep, SaslSuccess } from './sasl/mechanism.ts';
import type { NegotiatingStream } from './stream-feature.ts';

/** The XML of a SASL profile: the original one (RFC 6120 §6) or SASL2 (XEP-0388). */
export interface SaslProfile {
  readonly ns: string;
  challenge(data: Buffer): Element;
  failure(failure: SaslFailure): Element;
  /** Reads the data of a client's response; throws SaslFailure. */
  response(element: Element): Buffer;
  /** Accepts what the mechanism has proven, or throws SaslFailure. Returns what the client has to do before it succeeds. */
  accept(stream: NegotiatingStream, step: SaslSuccess): Tasks | undefined;
  /** Tells the client, and continues the stream as the profile demands. */
  succeed(stream: NegotiatingStream, step: SaslSuccess): MaybePromise<void>;
}

/** What a client has to do between its proof and success (XEP-0388 §2.6.3). */
export interface Tasks {
  /** The first element to the client, with the data that come with the end of the mechanism. */
  begin(data: Buffer | undefined): Element;
  /** Takes an element of the client. Returns the answer, or undefined when everything is done. Throws SaslFailure. */
  take(element: Element): MaybePromise<Element | undefined>;
}

/** Counts attempts to authenticate by their outcome, and may refuse them. */
export interface AuthenticationGuard {
  /** Throws SaslFailure if this address may not try now. */
  admit(remoteAddress: string): void;
  /** Throws SaslFailure if the user, who has just proven the identity, may not log in. */
  check(identity: Jid): void;
  succeeded(stream: NegotiatingStream, identity: Jid, mechanism: string): void;
  failed(stream: NegotiatingStream, failure: SaslFailure, mechanism: string): void;
  /** An internal error occurred; returns the failure for the client. */
  broken(error: unknown): SaslFailure;
}

/** One SASL exchange on one stream, from the client's first element to success or failure. */
export class SaslAttempt {
  readonly #stream: NegotiatingStream;
  readonly #profile: SaslProfile;
  readonly #guard: AuthenticationGuard;
  readonly #mechanism: string;
  #exchange: SaslExchange | undefined;
  /** Set while the client performs tasks. */
  #pending: { readonly tasks: Tasks; readonly step: SaslSuccess } | undefined;

  constructor(stream: NegotiatingStream, profile: SaslProfile, guard: AuthenticationGuard, mechanism: string) {
    this.#stream = stream;
    this.#profile = profile;
    this.#guard = guard;
    this.#mechanism = mechanism;
  }

  /** Begins; without an initial response the client is asked for one with an empty challenge (RFC 4422 §5). */
  begin(start: () => SaslExchange, initialResponse: () => Buffer | undefined): MaybePromise<void> {
    return this.#guarded(() => {
      this.#guard.admit(this.#stream.remoteAddress);
      this.#exchange = start();
      const response = initialResponse();
      if (response === undefined) return this.#stream.send(this.#profile.challenge(Buffer.alloc(0)));
      return this.#step(response);
    });
  }

  /** Takes the client's next element. Anything except a response or an abort ends the stream. */
  receive(frame: Frame): MaybePromise<void> {
    if (frame.ns !== this.#profile.ns) throw StreamError.notAuthorized('authentication is in progress');
    switch (frame.name) {
      case 'response':
        return this.#guarded(() => this.#step(this.#profile.response(frame.element())));
      case 'next':
      case 'task-data':
        return this.#guarded(() => this.#work(frame.element()));
      case 'abort':
        return this.#fail(SaslFailure.aborted());
      default:
        throw StreamError.notAuthorized('authentication is in progress');
    }
  }

  #step(response: Buffer): MaybePromise<void> {
    if (!this.#exchange) throw SaslFailure.malformedRequest();
    return then(this.#exchange.step(response), (step) => this.#answer(step));
  }

  #answer(step: SaslStep): MaybePromise<void> {
    if (step.kind === 'challenge') return this.#stream.send(this.#profile.challenge(step.data));
    this.#guard.check(step.identity);
    const tasks = this.#profile.accept(this.#stream, step);
    if (!tasks) return this.#succeed(step);
    // The data go with the first task, and so not with the success.
    this.#pending = { tasks, step: { ...step, data: undefined } };
    return this.#stream.send(tasks.begin(step.data));
  }

  #work(element: Element): MaybePromise<void> {
    if (!this.#pending) throw StreamError.notAuthorized('authentication is in progress');
    const { tasks, step } = this.#pending;
    return then(tasks.take(element), (answer) => (answer ? this.#stream.send(answer) : this.#succeed(step)));
  }

  #succeed(step: SaslSuccess): MaybePromise<void> {
    return then(this.#profile.succeed(this.#stream, step), () =>
      this.#guard.succeeded(this.#stream, step.identity, this.#mechanism),
    );
  }

  #guarded(run: () => MaybePromise<void>): MaybePromise<void> {
    try {
      const pending = run();
      return pending instanceof Promise ? pending.catch((error: unknown) => this.#fail(error)) : undefined;
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (error instanceof StreamError) throw error;
    const failure = error instanceof SaslFailure ? error : this.#guard.broken(error);
    this.#guard.failed(this.#stream, failure, this.#mechanism);
    this.#stream.send(this.#profile.failure(failure));
    this.#stream.authenticationFailed();
  }
}
