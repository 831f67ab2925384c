import { type Element, xml } from '../xml/element.ts';
import { ns } from './namespaces.ts';

/** The defined conditions of a failed SASL negotiation, RFC 6120 §6.5. */
export type SaslCondition =
  | 'aborted'
  | 'account-disabled'
  | 'credentials-expired'
  | 'encryption-required'
  | 'incorrect-encoding'
  | 'invalid-authzid'
  | 'invalid-mechanism'
  | 'malformed-request'
  | 'mechanism-too-weak'
  | 'not-authorized'
  | 'temporary-auth-failure';

/** The optional details of a SASL failure. */
interface SaslFailureDetails {
  /** Human-readable, in English. */
  readonly text?: string | undefined;
  /** The application-specific condition, XEP-0388 §2.6.2. */
  readonly extra?: Element | undefined;
}

/** A failed authentication: thrown by a mechanism, written by the negotiation, RFC 6120 §6.4.5. */
export class SaslFailure extends Error {
  readonly condition: SaslCondition;
  readonly text: string | undefined;
  readonly extra: Element | undefined;

  constructor(condition: SaslCondition, details: SaslFailureDetails = {}) {
    super(details.text === undefined ? condition : `${condition}: ${details.text}`);
    this.name = 'SaslFailure';
    this.condition = condition;
    this.text = details.text;
    this.extra = details.extra;
  }

  /** The `<failure/>`, in the namespace of RFC 6120 or of XEP-0388; the condition is in the former either way. */
  element(failureNs: typeof ns.sasl | typeof ns.sasl2 = ns.sasl): Element {
    return xml(
      'failure',
      { xmlns: failureNs },
      xml(this.condition, { xmlns: ns.sasl }),
      this.text === undefined ? undefined : xml('text', { 'xml:lang': 'en' }, this.text),
      this.extra,
    );
  }

  /** RFC 6120 §6.5.1: the client has aborted the exchange. */
  static aborted(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('aborted', { text, extra });
  }

  /** RFC 6120 §6.5.2: the account is disabled for now. */
  static accountDisabled(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('account-disabled', { text, extra });
  }

  /** RFC 6120 §6.5.3: the credentials have expired. */
  static credentialsExpired(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('credentials-expired', { text, extra });
  }

  /** RFC 6120 §6.5.4: the mechanism needs an encrypted stream. */
  static encryptionRequired(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('encryption-required', { text, extra });
  }

  /** RFC 6120 §6.5.5: data that is not proper base64. */
  static incorrectEncoding(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('incorrect-encoding', { text, extra });
  }

  /** RFC 6120 §6.5.6: an authorization identity that cannot be used. */
  static invalidAuthzid(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('invalid-authzid', { text, extra });
  }

  /** RFC 6120 §6.5.7: a mechanism that is not offered. */
  static invalidMechanism(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('invalid-mechanism', { text, extra });
  }

  /** RFC 6120 §6.5.8: data that breaks the mechanism or the protocol. */
  static malformedRequest(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('malformed-request', { text, extra });
  }

  /** RFC 6120 §6.5.9: a mechanism weaker than local policy permits. */
  static mechanismTooWeak(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('mechanism-too-weak', { text, extra });
  }

  /** RFC 6120 §6.5.10: wrong credentials, which includes an unknown user. */
  static notAuthorized(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('not-authorized', { text, extra });
  }

  /** RFC 6120 §6.5.11: the server cannot check credentials for now. */
  static temporaryAuthFailure(text?: string, extra?: Element): SaslFailure {
    return new SaslFailure('temporary-auth-failure', { text, extra });
  }
}
