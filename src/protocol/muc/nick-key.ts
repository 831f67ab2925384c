/**
 * The text by which nicknames are compared: two of the same key look alike, because they differ at most in case, width and spaces
 * (RFC 8266 §2). '' if nothing of the nickname can be seen.
 */
export function nickKey(nick: string): string {
  return comparable(comparable(nick));
}

/** One step may make room for another: a wide letter has a case only after it has become narrow. */
function comparable(text: string): string {
  return text.normalize('NFKC').replace(/\s+/gu, ' ').trim().toLowerCase().normalize('NFKC');
}
