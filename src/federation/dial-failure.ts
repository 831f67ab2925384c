import { StanzaError } from '../protocol/stanza-error.ts';

/** The reason why a stream to another server could not be established. The message is for operators. */
export class DialFailure extends Error {
  /** The error for the senders of stanzas. */
  readonly error: StanzaError;
  /** Whether the peer refused our certificate: dialback may still succeed. */
  readonly certificateRefused: boolean;

  constructor(message: string, error: StanzaError, certificateRefused = false) {
    super(message);
    this.name = 'DialFailure';
    this.error = error;
    this.certificateRefused = certificateRefused;
  }

  /** The operator has excluded the domain. */
  static forbidden(remote: string): DialFailure {
    const error = StanzaError.notAllowed(`communication with ${remote} is not allowed`);
    return new DialFailure('excluded by s2s.allow or s2s.deny', error);
  }

  /** The server exists but cannot be reached (RFC 6120 §8.3.3.17). */
  static unreachable(message: string): DialFailure {
    return new DialFailure(message, StanzaError.remoteServerTimeout());
  }

  /** The server does not exist, or may not be contacted (RFC 6120 §8.3.3.16). */
  static notFound(message: string, text?: string): DialFailure {
    return new DialFailure(message, StanzaError.remoteServerNotFound(text));
  }
}
