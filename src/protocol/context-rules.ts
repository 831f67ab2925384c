import { isJoinedAt } from './joining-types.ts';

const joiner = /[\u200C\u200D]/g;
const middleDot = /(?<!l)\u00B7|\u00B7(?!l)/u;
const keraia = /\u0375(?!\p{Script=Greek})/u;
const geresh = /(?<!\p{Script=Hebrew})[\u05F3\u05F4]/u;
const katakanaMiddleDot = /\u30FB/u;
const japanese = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;
const arabicIndicDigit = /[\u0660-\u0669]/u;
const extendedArabicIndicDigit = /[\u06F0-\u06F9]/u;

/** The first code point of the text that stands outside the context it needs (RFC 5892 appendix A). */
export function contextFault(text: string): string | undefined {
  return neighbourFault(text) ?? companyFault(text) ?? joinerFault(text);
}

/** Appendix A.3 to A.6. */
function neighbourFault(text: string): string | undefined {
  return (middleDot.exec(text) ?? keraia.exec(text) ?? geresh.exec(text))?.[0];
}

/** Appendix A.7 to A.9. */
function companyFault(text: string): string | undefined {
  if (katakanaMiddleDot.test(text) && !japanese.test(text)) return '\u30FB';
  return arabicIndicDigit.test(text) ? extendedArabicIndicDigit.exec(text)?.[0] : undefined;
}

/** Appendix A.1 and A.2. */
function joinerFault(text: string): string | undefined {
  for (const { 0: char, index } of text.matchAll(joiner)) {
    const before = Array.from(text.slice(Math.max(0, index - 2), index)).at(-1);
    if (!(before && isVirama(before)) && !(char === '\u200C' && isJoinedAt(text, index))) return char;
  }
  return undefined;
}

/**
 * Whether a code point's canonical combining class is Virama (9). No runtime property tells, but canonical
 * ordering does: it moves exactly that class behind U+3099 (class 8) and before U+05B0 (class 10).
 */
function isVirama(char: string): boolean {
  return reorders(char, '\u3099') && reorders('\u05B0', char);
}

function reorders(first: string, second: string): boolean {
  return first !== second && (first + second).normalize('NFD') === second + first;
}
