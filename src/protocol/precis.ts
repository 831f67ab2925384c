import { satisfiesBidiRule } from './bidi-rule.ts';
import { type Derivation, derivationOf } from './code-point-class.ts';
import { contextFault } from './context-rules.ts';

const identifierClass: readonly Derivation[] = ['valid', 'context'];
const freeformClass: readonly Derivation[] = [...identifierClass, 'freeform'];

const wideOrNarrow = /[\u3000\uFF01-\uFFEE]/gu;
const nonAsciiSpace = /(?! )\p{Zs}/gu;

/** A text that a PRECIS profile or IDNA2008 refuses. The message completes a sentence that begins with the text. */
export class PrecisError extends Error {
  override readonly name = 'PrecisError';
}

function nameOf(char: string): string {
  const codePoint = char.codePointAt(0) ?? 0;
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}

function requireClass(text: string, allowed: readonly Derivation[]): void {
  for (const char of text) {
    const derivation = derivationOf(char);
    if (allowed.includes(derivation)) continue;
    throw new PrecisError(`contains ${derivation === 'unassigned' ? 'the unassigned ' : ''}${nameOf(char)}`);
  }
}

function requireContext(text: string): void {
  const char = contextFault(text);
  if (char !== undefined) throw new PrecisError(`contains ${nameOf(char)} where it may not stand`);
}

/** Throws PrecisError unless the text is in the IdentifierClass (RFC 8264 §4.2), its contexts included. */
export function requireIdentifier(text: string): void {
  requireClass(text, identifierClass);
  requireContext(text);
}

/** Enforces the UsernameCaseMapped profile (RFC 8265 §3.3); throws PrecisError. */
export function usernameCaseMapped(raw: string): string {
  const narrowed = raw.replace(wideOrNarrow, (char) => char.normalize('NFKC'));
  requireClass(narrowed, identifierClass);
  const text = narrowed.toLowerCase().normalize('NFC');
  requireIdentifier(text);
  if (!satisfiesBidiRule(text)) throw new PrecisError('mixes writing directions');
  return text;
}

/** Enforces the OpaqueString profile (RFC 8265 §4.2), which does not limit the length; throws PrecisError. */
export function opaqueString(raw: string): string {
  requireClass(raw, freeformClass);
  const text = raw.replace(nonAsciiSpace, ' ').normalize('NFC');
  requireContext(text);
  return text;
}
