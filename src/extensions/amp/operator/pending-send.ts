import type { Stanza } from '../../../protocol/stanza.ts';
import { readReport } from './amp-report.ts';
import type { SendReport, SendRequest } from './message-operations.ts';

/** A message that was sent for the operator, and the reports about it, until its outcome is final. */
export class PendingSend {
  readonly message: Stanza;
  /** The outcome, when it is final or the wait ends. */
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

  /** Takes a stanza. Returns whether it was about the message. */
  take(answer: Stanza): boolean {
    const reported = answer.id === this.message.id ? readReport(answer) : undefined;
    if (!reported) return false;
    this.#known = { ...this.#known, ...reported };
    if (isFinal(this.#known, this.#request)) this.end();
    return true;
  }

  /** Ends the wait with the outcome known so far. */
  end(): void {
    this.#resolve(this.#known);
  }
}

/** Whether no report can change the outcome. A stored message may still expire during the wait, and an error may explain a failed delivery. */
function isFinal({ outcome, rule, error }: SendReport, { type, expireInMs, waitMs }: SendRequest): boolean {
  if (outcome === 'stored') return expireInMs === undefined || expireInMs >= waitMs;
  // RFC 6121 §8.5.2.2.3: an undelivered headline causes no error.
  return rule?.action !== 'notify' || rule.value !== 'none' || error !== undefined || type === 'headline';
}
