/** The limits of one stanza or one stream header, checked while it is read (RFC 6120 §13.12). */
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

/** The largest number that V8 represents as a small integer. No buffer is that long. */
const largest = 0x7fffffff;

/** No limits: for XML that this server has already accepted or has written itself. */
export const unlimited: XmlLimits = {
  maxBytes: largest,
  maxElements: largest,
  maxAttributes: largest,
  maxDepth: largest,
  maxNamespaces: largest,
};
