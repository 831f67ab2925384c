import { childElements, type Element, nsOf, textOf, xml } from '../xml/element.ts';
import { ns } from './namespaces.ts';

const conditions = [
  'bad-format',
  'bad-namespace-prefix',
  'conflict',
  'connection-timeout',
  'host-gone',
  'host-unknown',
  'improper-addressing',
  'internal-server-error',
  'invalid-from',
  'invalid-namespace',
  'invalid-xml',
  'not-authorized',
  'not-well-formed',
  'policy-violation',
  'remote-connection-failed',
  'reset',
  'resource-constraint',
  'restricted-xml',
  'see-other-host',
  'system-shutdown',
  'undefined-condition',
  'unsupported-encoding',
  'unsupported-feature',
  'unsupported-stanza-type',
  'unsupported-version',
] as const;

/** The defined conditions of a stream error, RFC 6120 §4.9.3. */
export type StreamCondition = (typeof conditions)[number];

/** The optional details of a stream error. */
interface StreamErrorDetails {
  /** Human-readable, in English. */
  readonly text?: string | undefined;
  /** The application-specific condition, RFC 6120 §4.9.4. */
  readonly extra?: Element | undefined;
  /** The host, with a port if it is not the usual one, for `see-other-host` only. */
  readonly host?: string | undefined;
}

/** An error that ends a stream. The code that finds it throws it, and the stream writes it before it closes, RFC 6120 §4.9. */
export class StreamError extends Error {
  readonly condition: StreamCondition;
  readonly text: string | undefined;
  readonly extra: Element | undefined;
  readonly host: string | undefined;

  constructor(condition: StreamCondition, details: StreamErrorDetails = {}) {
    super(details.text === undefined ? condition : `${condition}: ${details.text}`);
    this.name = 'StreamError';
    this.condition = condition;
    this.text = details.text;
    this.extra = details.extra;
    this.host = details.host;
  }

  /** The `<stream:error/>`, which declares its prefix itself, so that it can also be sent alone (RFC 7395 §3.4). */
  element(): Element {
    return xml(
      'stream:error',
      { 'xmlns:stream': ns.stream },
      xml(this.condition, { xmlns: ns.streamErrors }, this.host),
      this.text === undefined ? undefined : xml('text', { xmlns: ns.streamErrors, 'xml:lang': 'en' }, this.text),
      this.extra,
    );
  }

  /** Reads a `<stream:error/>` leniently: a missing or unknown condition becomes `undefined-condition`. */
  static fromElement(error: Element): StreamError {
    const children = childElements(error).filter((child) => nsOf(child) === ns.streamErrors);
    const names = children.map((child) => child.getName());
    const text = children.find((child) => child.getName() === 'text');
    const condition = conditions.find((known) => names.includes(known)) ?? 'undefined-condition';
    return new StreamError(condition, { text: text && textOf(text) });
  }

  /** RFC 6120 §4.9.3.1: XML that cannot be processed. */
  static badFormat(text?: string, extra?: Element): StreamError {
    return new StreamError('bad-format', { text, extra });
  }

  /** RFC 6120 §4.9.3.2: a prefix that is not bound or not allowed. */
  static badNamespacePrefix(text?: string, extra?: Element): StreamError {
    return new StreamError('bad-namespace-prefix', { text, extra });
  }

  /** RFC 6120 §4.9.3.3: a new stream takes the place of this one. */
  static conflict(text?: string, extra?: Element): StreamError {
    return new StreamError('conflict', { text, extra });
  }

  /** RFC 6120 §4.9.3.4: the peer has stopped answering. */
  static connectionTimeout(text?: string, extra?: Element): StreamError {
    return new StreamError('connection-timeout', { text, extra });
  }

  /** RFC 6120 §4.9.3.5: the domain is no longer served here. */
  static hostGone(text?: string, extra?: Element): StreamError {
    return new StreamError('host-gone', { text, extra });
  }

  /** RFC 6120 §4.9.3.6: the domain is not served here. */
  static hostUnknown(text?: string, extra?: Element): StreamError {
    return new StreamError('host-unknown', { text, extra });
  }

  /** RFC 6120 §4.9.3.7: a stanza between servers without 'to' or 'from'. */
  static improperAddressing(text?: string, extra?: Element): StreamError {
    return new StreamError('improper-addressing', { text, extra });
  }

  /** RFC 6120 §4.9.3.8: the server has failed. */
  static internalServerError(text?: string, extra?: Element): StreamError {
    return new StreamError('internal-server-error', { text, extra });
  }

  /** RFC 6120 §4.9.3.9: a 'from' that the peer may not use. */
  static invalidFrom(text?: string, extra?: Element): StreamError {
    return new StreamError('invalid-from', { text, extra });
  }

  /** RFC 6120 §4.9.3.10: a stream or content namespace that is not XMPP. */
  static invalidNamespace(text?: string, extra?: Element): StreamError {
    return new StreamError('invalid-namespace', { text, extra });
  }

  /** RFC 6120 §4.9.3.11: XML that a validating server refuses. */
  static invalidXml(text?: string, extra?: Element): StreamError {
    return new StreamError('invalid-xml', { text, extra });
  }

  /** RFC 6120 §4.9.3.12: data sent before the stream is authenticated. */
  static notAuthorized(text?: string, extra?: Element): StreamError {
    return new StreamError('not-authorized', { text, extra });
  }

  /** RFC 6120 §4.9.3.13: XML that is not well-formed. */
  static notWellFormed(text?: string, extra?: Element): StreamError {
    return new StreamError('not-well-formed', { text, extra });
  }

  /** RFC 6120 §4.9.3.14: a local policy, a size or a rate. */
  static policyViolation(text?: string, extra?: Element): StreamError {
    return new StreamError('policy-violation', { text, extra });
  }

  /** RFC 6120 §4.9.3.15: a needed connection to another server cannot be made. */
  static remoteConnectionFailed(text?: string, extra?: Element): StreamError {
    return new StreamError('remote-connection-failed', { text, extra });
  }

  /** RFC 6120 §4.9.3.16: the stream must be started again. */
  static reset(text?: string, extra?: Element): StreamError {
    return new StreamError('reset', { text, extra });
  }

  /** RFC 6120 §4.9.3.17: the server lacks the resources to serve the stream. */
  static resourceConstraint(text?: string, extra?: Element): StreamError {
    return new StreamError('resource-constraint', { text, extra });
  }

  /** RFC 6120 §4.9.3.18: a comment, processing instruction, DTD or entity reference. */
  static restrictedXml(text?: string, extra?: Element): StreamError {
    return new StreamError('restricted-xml', { text, extra });
  }

  /** RFC 6120 §4.9.3.19: the peer should connect to another host, `host` or `host:port`. */
  static seeOtherHost(host: string, text?: string): StreamError {
    return new StreamError('see-other-host', { host, text });
  }

  /** RFC 6120 §4.9.3.20: the server is shutting down. */
  static systemShutdown(text?: string, extra?: Element): StreamError {
    return new StreamError('system-shutdown', { text, extra });
  }

  /** RFC 6120 §4.9.3.21: a condition that an application element explains. */
  static undefinedCondition(text?: string, extra?: Element): StreamError {
    return new StreamError('undefined-condition', { text, extra });
  }

  /** RFC 6120 §4.9.3.22: an encoding other than UTF-8. */
  static unsupportedEncoding(text?: string, extra?: Element): StreamError {
    return new StreamError('unsupported-encoding', { text, extra });
  }

  /** RFC 6120 §4.9.3.23: a mandatory feature the peer does not support. */
  static unsupportedFeature(text?: string, extra?: Element): StreamError {
    return new StreamError('unsupported-feature', { text, extra });
  }

  /** RFC 6120 §4.9.3.24: a first-level child that is not a known stanza. */
  static unsupportedStanzaType(text?: string, extra?: Element): StreamError {
    return new StreamError('unsupported-stanza-type', { text, extra });
  }

  /** RFC 6120 §4.9.3.25: an unsupported version of XMPP. */
  static unsupportedVersion(text?: string, extra?: Element): StreamError {
    return new StreamError('unsupported-version', { text, extra });
  }
}
