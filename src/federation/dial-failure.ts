import { StanzaError } from '../protocol/stanza-error.ts';

/** Why there is no stream to another server; the message is for operators. */
export class DialFailure extends Error {
  /** What the sender of a stanza is told. */
  readonly error: StanzaError;
  /** Whether it was our certificate that did not convince, so that dialback may. */
  readonly certificateRefused: boolean;

  constructor(message: string, error: StanzaError, certificateRefused = false) {
    super(message);
    this.name = 'DialFailure';
    this.error = error;
    this.certificateRefused = certificateRefused;
  }

  /** The operator does not want it. */
  static forbidden(remote: string): DialFailure {
    const error = StanzaError.notAllowed(`communication with ${remote} is not allowed`);
    return new DialFailure('s2s.allow and s2s.deny exclude it', error);
  }

  /** There is such a server, and it could not be had (RFC 6120 §8.3.3.17). */
  static unreachable(message: string): DialFailure {
    return new DialFailure(message, StanzaError.remoteServerTimeout());
  }

  /** There is no such server, or none we may talk to (RFC 6120 §8.3.3.16). */
  static notFound(message: string, text?: string): DialFailure {
    return new DialFailure(message, StanzaError.remoteServerNotFound(text));
  }
}
