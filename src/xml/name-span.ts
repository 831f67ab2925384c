import { colon, isNameCharacter, isNameStart, nameStartByte, nameStop, nonAscii, skip } from './char-class.ts';
import type { Source } from './source.ts';
import { characterLength, codePointAt } from './utf8.ts';
import { malformed } from './xml-error.ts';

/** Where a qualified name lies in the source (Namespaces in XML 1.0 §4). */
export class NameSpan {
  start = 0;
  /** Where its colon is, or -1. */
  colon = -1;
  end = 0;
  ascii = true;

  begin(start: number): void {
    this.start = start;
    this.colon = -1;
    this.ascii = true;
  }

  /** Scans on from `at` to the byte behind the name. */
  scan({ bytes, base }: Source, at: number, end: number): number {
    let p = at;
    for (;;) {
      p = skip(bytes, nameStop, p, end);
      if (p === end) return p;
      const byte = bytes[p]!;
      if (byte >= nonAscii) {
        const length = characterLength(bytes, p, end);
        if (length === 0) return ~p;
        if (!isNameCharacter(codePointAt(bytes, p, length))) malformed('illegal character in a name');
        this.ascii = false;
        p += length;
      } else if (byte === colon) {
        if (this.colon >= 0) malformed('a name with two colons');
        this.colon = p - base;
        p++;
      } else return p;
    }
  }

  /** Ends the name; both its halves must begin as a name does. */
  finish(source: Source, end: number): void {
    this.end = end;
    checkNameStart(source, this.start, this.colon < 0 ? end : this.colon);
    if (this.colon >= 0) checkNameStart(source, this.colon + 1, end);
  }

  local(source: Source): string {
    return source.name(this.colon < 0 ? this.start : this.colon + 1, this.end, this.ascii);
  }

  prefix(source: Source): string {
    return this.colon < 0 ? '' : source.name(this.start, this.colon, this.ascii);
  }

  qualified(source: Source): string {
    return source.name(this.start, this.end, this.ascii);
  }
}

function checkNameStart({ bytes, base }: Source, start: number, end: number): void {
  if (start === end) malformed('a name was expected');
  const at = base + start;
  const byte = bytes[at]!;
  if (nameStartByte[byte] === 1) return;
  if (byte < nonAscii) malformed('a name cannot begin like this');
  const length = characterLength(bytes, at, base + end);
  if (!isNameStart(codePointAt(bytes, at, length))) malformed('a name cannot begin like this');
}
