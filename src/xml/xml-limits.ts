/** What one stanza, or one stream header, may consist of; counted while it is read (RFC 6120 §13.12). */
export interface XmlLimits {
  /** Bytes from `<` to `>`; for a stream header, from the first byte of the stream. */
  readonly maxBytes: number;
  readonly maxElements: number;
  /** Attributes of one element, namespace declarations included. */
  readonly maxAttributes: number;
  /** Nested elements; the stanza itself is at depth 1. */
  readonly maxDepth: number;
  /** Namespace declarations. */
  readonly maxNamespaces: number;
}

/** For XML this server has already accepted or has written itself. */
export const unlimited: XmlLimits = {
  maxBytes: Number.MAX_SAFE_INTEGER,
  maxElements: Number.MAX_SAFE_INTEGER,
  maxAttributes: Number.MAX_SAFE_INTEGER,
  maxDepth: Number.MAX_SAFE_INTEGER,
  maxNamespaces: Number.MAX_SAFE_INTEGER,
};
