/** The derived property of a code point (RFC 8264 §8): 'context' is CONTEXTJ or CONTEXTO, 'freeform' is FREE_PVAL. */
export type Derivation = 'valid' | 'freeform' | 'context' | 'disallowed' | 'unassigned';

interface Category {
  test(char: string): boolean;
}

/** HasCompat (RFC 8264 §9.17). */
const hasCompat: Category = { test: (char) => char.normalize('NFKC') !== char };

/** The algorithm of RFC 8264 §8 over the runtime's Unicode properties: the first category a code point is in decides. */
const categories: readonly (readonly [Category, Derivation])[] = [
  // Exceptions (RFC 5892 §2.6, which RFC 8264 §9.6 adopts)
  [/[\u00DF\u03C2\u06FD\u06FE\u0F0B\u3007]/u, 'valid'],
  [/[\u00B7\u0375\u05F3\u05F4\u0660-\u0669\u06F0-\u06F9\u30FB]/u, 'context'],
  [/[\u0640\u07FA\u302E\u302F\u3031-\u3035\u303B]/u, 'disallowed'],
  // Unassigned
  [/(?!\p{Noncharacter_Code_Point})\p{Cn}/u, 'unassigned'],
  // ASCII7
  [/[!-~]/u, 'valid'],
  // JoinControl
  [/\p{Join_Control}/u, 'context'],
  // OldHangulJamo
  [/[\u1100-\u11FF\uA960-\uA97F\uD7B0-\uD7FF]/u, 'disallowed'],
  // PrecisIgnorableProperties
  [/[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/u, 'disallowed'],
  // Controls
  [/\p{Cc}/u, 'disallowed'],
  [hasCompat, 'freeform'],
  // LetterDigits
  [/[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u, 'valid'],
  // OtherLetterDigits, Spaces, Symbols, Punctuation
  [/[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]/u, 'freeform'],
];

/** The PRECIS derived property of one code point (RFC 8264 §8). */
export function derivationOf(char: string): Derivation {
  for (const [category, derivation] of categories) {
    if (category.test(char)) return derivation;
  }
  return 'disallowed';
}
