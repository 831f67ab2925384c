import { isNameCharacter, isNameStart, lessThan, nameStartByte, nonAscii, skipSpace, space } from './char-class.ts';
import { characterLength, codePointAt } from './utf8.ts';
import { malformed } from './xml-error.ts';

/** The length of a character beyond ASCII in a name, 0 if `end` cuts it (XML 1.0 §2.3, production NameChar). */
export function nameCharacterLength(bytes: Uint8Array, at: number, end: number): number {
  const length = characterLength(bytes, at, end);
  if (length > 0 && !isNameCharacter(codePointAt(bytes, at, length))) malformed('illegal character in a name');
  return length;
}

/** Refuses a name, or the half of one, whose first character may not begin a name (Namespaces in XML 1.0 §4). */
export function checkNameStart(bytes: Uint8Array, at: number, end: number): void {
  const byte = bytes[at]!;
  if (at < end && nameStartByte[byte] === 1) return;
  if (at >= end || byte < nonAscii) malformed('illegal first character of a name');
  const length = characterLength(bytes, at, end);
  if (!isNameStart(codePointAt(bytes, at, length))) malformed('illegal first character of a name');
}

/** The length of a character in an attribute value, 0 if `end` cuts it (XML 1.0 §2.3, production AttValue). */
export function valueCharacterLength(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at]!;
  if (byte >= nonAscii) return characterLength(bytes, at, end);
  if (byte === lessThan) malformed("'<' in an attribute value");
  if (byte < space && skipSpace(bytes, at, at + 1) === at) malformed('control character');
  return 1;
}
