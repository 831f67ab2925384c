/** A part of a text: an address that can be followed, or words. */
interface TextPart {
  readonly text: string;
  readonly href: string | undefined;
}

/** Only these: a `javascript:` address would run what a stranger has written. */
const address = /\b(?:https?:\/\/|xmpp:|mailto:)[^\s<>"'`]+/gi;

/** Splits a text at the addresses in it. Punctuation at the end of an address belongs to the sentence. */
export function textParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const { index, 0: found } of text.matchAll(address)) {
    const href = withoutPunctuation(found);
    if (!URL.canParse(href)) continue;
    if (index > end) parts.push({ text: text.slice(end, index), href: undefined });
    parts.push({ text: href, href });
    end = index + href.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end), href: undefined });
  return parts;
}

function withoutPunctuation(url: string): string {
  const trimmed = url.replace(/[.,;:!?…]+$/, '');
  const isUnbalanced = trimmed.endsWith(')') && !trimmed.includes('(');
  return isUnbalanced ? withoutPunctuation(trimmed.slice(0, -1)) : trimmed;
}
