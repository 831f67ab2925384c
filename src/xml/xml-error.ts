/** The stream error conditions for faulty XML (RFC 6120 §4.9.3). */
export type XmlCondition =
  | 'bad-format'
  | 'not-well-formed'
  | 'policy-violation'
  | 'restricted-xml'
  | 'unsupported-encoding';

/** XML that must not be read any further. The condition is the stream error to send (RFC 6120 §4.9.3). */
export class XmlError extends Error {
  override readonly name = 'XmlError';
  readonly condition: XmlCondition;

  constructor(condition: XmlCondition, message: string) {
    super(message);
    this.condition = condition;
  }
}

/** Refuses XML that breaks the grammar or its namespaces (RFC 6120 §11.3). */
export function malformed(message: string): never {
  throw new XmlError('not-well-formed', message);
}

/** Refuses XML that is legal elsewhere but forbidden in XMPP (RFC 6120 §11.1). */
export function restricted(message: string): never {
  throw new XmlError('restricted-xml', message);
}

/** Refuses XML that exceeds a limit (RFC 6120 §4.9.3.14). */
export function tooMuch(message: string): never {
  throw new XmlError('policy-violation', message);
}
