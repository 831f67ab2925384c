import { attribute, childElements, type Element, nsOf, textOf, xml } from '../xml/element.ts';
import type { Jid } from './jid.ts';
import { ns } from './namespaces.ts';

/** What the sender may do about an error, RFC 6120 §8.3.2. */
export type StanzaErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait';

/** Every defined condition with its usual type, RFC 6120 §8.3.3. */
const defaultTypes = {
  'bad-request': 'modify',
  conflict: 'cancel',
  'feature-not-implemented': 'cancel',
  forbidden: 'auth',
  gone: 'cancel',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'not-authorized': 'auth',
  'policy-violation': 'modify',
  'recipient-unavailable': 'wait',
  redirect: 'modify',
  'registration-required': 'auth',
  'remote-server-not-found': 'cancel',
  'remote-server-timeout': 'wait',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel',
  'subscription-required': 'auth',
  'undefined-condition': 'cancel',
  'unexpected-request': 'wait',
} as const satisfies Record<string, StanzaErrorType>;

/** The defined conditions of a stanza error, RFC 6120 §8.3.3. */
export type StanzaCondition = keyof typeof defaultTypes;

/** The optional details of an error. */
export interface StanzaErrorDetails {
  /** Replaces the usual type of the condition. */
  readonly type?: StanzaErrorType | undefined;
  /** Human-readable, in English. */
  readonly text?: string | undefined;
  /** The entity that returns the error, when it is not the addressee, RFC 6120 §8.3.1. */
  readonly by?: Jid | string | undefined;
  /** The application-specific condition, RFC 6120 §8.3.4. */
  readonly extra?: Element | undefined;
  /** The new address, for `gone` and `redirect` only. */
  readonly uri?: string | undefined;
  /** The numeric code of jabber:iq times, which XEP-0079 still shows. */
  readonly code?: number | undefined;
}

const types: ReadonlySet<string> = new Set<StanzaErrorType>(['auth', 'cancel', 'continue', 'modify', 'wait']);

function isType(text: string | undefined): text is StanzaErrorType {
  return text !== undefined && types.has(text);
}

function isCondition(name: string): name is StanzaCondition {
  return Object.hasOwn(defaultTypes, name);
}

/** A stanza error. Code that cannot serve a stanza throws it, and the router answers with an error stanza, RFC 6120 §8.3. */
export class StanzaError extends Error {
  readonly condition: StanzaCondition;
  readonly type: StanzaErrorType;
  readonly text: string | undefined;
  readonly by: string | undefined;
  readonly extra: Element | undefined;
  readonly uri: string | undefined;
  readonly code: number | undefined;

  constructor(condition: StanzaCondition, details: StanzaErrorDetails = {}) {
    super(details.text === undefined ? condition : `${condition}: ${details.text}`);
    this.name = 'StanzaError';
    this.condition = condition;
    this.type = details.type ?? defaultTypes[condition];
    this.text = details.text;
    this.by = details.by?.toString();
    this.extra = details.extra;
    this.uri = details.uri;
    this.code = details.code;
  }

  /** The `<error/>` child of an error stanza. */
  element(): Element {
    return xml(
      'error',
      { type: this.type, by: this.by, code: this.code },
      xml(this.condition, { xmlns: ns.stanzaErrors }, this.uri),
      this.text === undefined ? undefined : xml('text', { xmlns: ns.stanzaErrors, 'xml:lang': 'en' }, this.text),
      this.extra,
    );
  }

  /** The same error, returned by another entity than the addressee (RFC 6120 §8.3.1). */
  returnedBy(entity: Jid): StanzaError {
    const { condition, type, text, extra, uri, code } = this;
    return new StanzaError(condition, { type, text, extra, uri, code, by: entity });
  }

  /** The same error without what may name an entity, except in its text. */
  withoutAddresses(): StanzaError {
    const { condition, type, text, extra } = this;
    return new StanzaError(condition, { type, text, extra });
  }

  /** Reads an `<error/>` leniently: a missing or unknown condition becomes `undefined-condition`. */
  static fromElement(error: Element): StanzaError {
    let condition: StanzaCondition = 'undefined-condition';
    const details: { -readonly [K in keyof StanzaErrorDetails]: StanzaErrorDetails[K] } = {};
    for (const child of childElements(error)) {
      const name = child.getName();
      if (nsOf(child) !== ns.stanzaErrors) details.extra ??= child;
      else if (name === 'text') details.text ??= textOf(child);
      else if (isCondition(name)) {
        condition = name;
        details.uri = textOf(child) || undefined;
      }
    }
    const type = attribute(error, 'type');
    return new StanzaError(condition, {
      ...details,
      type: isType(type) ? type : undefined,
      by: attribute(error, 'by'),
    });
  }

  /** RFC 6120 §8.3.3.1: the sender sent XML that breaks a schema or cannot be processed. */
  static badRequest(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('bad-request', { ...details, text });
  }

  /** RFC 6120 §8.3.3.2: a resource or session of that name exists already. */
  static conflict(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('conflict', { ...details, text });
  }

  /** RFC 6120 §8.3.3.3: the addressee does not have the feature at all. */
  static featureNotImplemented(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('feature-not-implemented', { ...details, text });
  }

  /** RFC 6120 §8.3.3.4: the requester lacks the permission. */
  static forbidden(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('forbidden', { ...details, text });
  }

  /** RFC 6120 §8.3.3.5: the addressee has moved permanently, to `uri`. */
  static gone(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('gone', { ...details, text });
  }

  /** RFC 6120 §8.3.3.6: the server has failed. */
  static internalServerError(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('internal-server-error', { ...details, text });
  }

  /** RFC 6120 §8.3.3.7: the requested JID or item does not exist. */
  static itemNotFound(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('item-not-found', { ...details, text });
  }

  /** RFC 6120 §8.3.3.8: an address breaks the rules of RFC 7622. */
  static jidMalformed(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('jid-malformed', { ...details, text });
  }

  /** RFC 6120 §8.3.3.9: the request fails criteria of the recipient. */
  static notAcceptable(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('not-acceptable', { ...details, text });
  }

  /** RFC 6120 §8.3.3.10: no entity may do that here. */
  static notAllowed(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('not-allowed', { ...details, text });
  }

  /** RFC 6120 §8.3.3.11: the sender has to authenticate first. */
  static notAuthorized(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('not-authorized', { ...details, text });
  }

  /** RFC 6120 §8.3.3.12: the stanza breaks a local policy. */
  static policyViolation(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('policy-violation', { ...details, text });
  }

  /** RFC 6120 §8.3.3.13: the recipient is temporarily unavailable. */
  static recipientUnavailable(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('recipient-unavailable', { ...details, text });
  }

  /** RFC 6120 §8.3.3.14: the recipient is temporarily at `uri`. */
  static redirect(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('redirect', { ...details, text });
  }

  /** RFC 6120 §8.3.3.15: the requester has to register first. */
  static registrationRequired(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('registration-required', { ...details, text });
  }

  /** RFC 6120 §8.3.3.16: the remote domain does not resolve or does not answer. */
  static remoteServerNotFound(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('remote-server-not-found', { ...details, text });
  }

  /** RFC 6120 §8.3.3.17: the remote domain answers too late. */
  static remoteServerTimeout(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('remote-server-timeout', { ...details, text });
  }

  /** RFC 6120 §8.3.3.18: the server is too busy or full. */
  static resourceConstraint(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('resource-constraint', { ...details, text });
  }

  /** RFC 6120 §8.3.3.19: the service is not offered here, or the sender may not know. */
  static serviceUnavailable(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('service-unavailable', { ...details, text });
  }

  /** RFC 6120 §8.3.3.20: the requester needs a subscription first. */
  static subscriptionRequired(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('subscription-required', { ...details, text });
  }

  /** RFC 6120 §8.3.3.21: a condition that an application element explains. */
  static undefinedCondition(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('undefined-condition', { ...details, text });
  }

  /** RFC 6120 §8.3.3.22: the request is valid, but not expected now. */
  static unexpectedRequest(text?: string, details?: StanzaErrorDetails): StanzaError {
    return new StanzaError('unexpected-request', { ...details, text });
  }
}
