import type { Stanza } from '../../../protocol/stanza.ts';
import { tidingsOf } from './amp-report.ts';
import type { SendReport, SendRequest } from './message-operations.ts';

/** Collects what is said of one message, until there is no more to expect. */
export class Answers {
  readonly message: Stanza;
  /** What is known in the end. */
  readonly report: Promise<SendReport>;
  readonly #request: SendRequest;
  readonly #resolve: (report: SendReport) => void;
  #known: SendReport;

  constructor(message: Stanza, request: SendRequest) {
    const { promise, resolve } = Promise.withResolvers<SendReport>();
    const { id = '', from, to } = message;
    this.message = message;
    this.report = promise;
    this.#request = request;
    this.#resolve = resolve;
    this.#known = { outcome: 'unknown', id, from: String(from), to: String(to) };
  }

  /** Whether something that has come is an answer. */
  take(answer: Stanza): boolean {
    const tidings = answer.id === this.message.id ? tidingsOf(answer) : undefined;
    if (!tidings) return false;
    this.#known = { ...this.#known, ...tidings };
    if (!isAwaited(this.#known, this.#request)) this.end();
    return true;
  }

  /** What is not known by now is not waited for. */
  end(): void {
    this.#resolve(this.#known);
  }
}

/** Whether there is more to come: a stored message may expire before the wait is over, and an error tells why nothing is delivered. */
function isAwaited({ outcome, rule, error }: SendReport, { type, expireInMs, waitMs }: SendRequest): boolean {
  if (outcome === 'stored') return expireInMs !== undefined && expireInMs < waitMs;
  // RFC 6121 §8.5.2.2.3: nobody hears of a headline that is not delivered.
  return rule?.action === 'notify' && rule.value === 'none' && error === undefined && type !== 'headline';
}
