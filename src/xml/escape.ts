const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

const illegal = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;
const unsafeInText = /[^\t\n -%'-;=?-~]/;
const unsafeInAttribute = /[^ !#-%(-;=?-~]/;
const specialInText = /[&<>\r]/g;
const specialInAttribute = /[&<>"'\t\n\r]/g;

/** Whether XML can contain these characters (XML 1.0 §2.2). It cannot contain a lone surrogate. */
export function isXmlText(text: string): boolean {
  return !illegal.test(text);
}

function checked(text: string): string {
  const found = illegal.exec(text);
  if (found === null) return text;
  const codePoint = found[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
  throw new RangeError(`XML cannot carry U+${codePoint}`);
}

/** Character data. Escapes carriage returns, so that they survive line end normalization. Throws on characters XML cannot contain. */
export function escapeText(text: string): string {
  if (!unsafeInText.test(text)) return text;
  return checked(text).replace(specialInText, (character) => escapes[character]!);
}

/** An attribute value for either kind of quotes. White space survives normalization. Throws on characters XML cannot contain. */
export function escapeAttribute(value: string): string {
  if (!unsafeInAttribute.test(value)) return value;
  return checked(value).replace(specialInAttribute, (character) => escapes[character]!);
}
