import { skipSpace } from './char-class.ts';
import type { NamespaceContext } from './namespace-scope.ts';
import type { Scanner } from './scanner.ts';
import { malformed, restricted, tooMuch } from './xml-error.ts';
import type { XmlLimits } from './xml-limits.ts';

/** Scans one whole document, with `context` declared around it. Returns the offset at which its root ends. */
export function scanDocument(scanner: Scanner, bytes: Buffer, limits: XmlLimits, context: NamespaceContext): number {
  try {
    scanner.source.bytes = bytes;
    scanner.source.base = 0;
    scanner.beginDocument(context, limits, false);
    const end = Math.min(bytes.length, limits.maxBytes);
    const at = scanner.scan(0, end);
    if (!scanner.complete && end < bytes.length) tooMuch('too many bytes');
    if (!scanner.complete) malformed('an element is not closed');
    refuseMore(bytes, at);
    return at;
  } finally {
    scanner.source.release();
  }
}

/** After the root, XML allows white space, comments and processing instructions (XML 1.0 §2.8), XMPP only white space. */
function refuseMore(bytes: Buffer, at: number): void {
  const p = skipSpace(bytes, at, bytes.length);
  const rest = bytes.toString('latin1', p, p + 4);
  if (rest.startsWith('<?') || rest === '<!--') restricted('markup behind the root element');
  if (rest !== '') malformed('content after the root element');
}

/** Text as UTF-8. Throws on a lone surrogate, which Buffer would replace silently. */
export function utf8Bytes(bytes: Buffer | string): Buffer {
  if (typeof bytes !== 'string') return bytes;
  if (!bytes.isWellFormed()) malformed('a lone surrogate');
  return Buffer.from(bytes);
}
