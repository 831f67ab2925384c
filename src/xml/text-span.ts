import {
  ampersand,
  carriageReturn,
  cdataStop,
  closingBracket,
  greaterThan,
  lessThan,
  nonAscii,
  skip,
  space,
  textStop,
} from './char-class.ts';
import { escapedForm, plainForm, type Source, type TextForm, wideForm } from './source.ts';
import { characterLength } from './utf8.ts';
import { malformed } from './xml-error.ts';

/** The offsets of a run of character data in the source. */
export class TextSpan {
  start = 0;
  form: TextForm = plainForm;

  begin(start: number): void {
    this.start = start;
    this.form = plainForm;
  }

  /** Scans from `at` to the next `<` or `&` (XML 1.0 §2.4). */
  scan(source: Source, at: number, end: number): number {
    const { bytes } = source;
    let p = at;
    for (;;) {
      p = skip(bytes, textStop, p, end);
      if (p === end) return p;
      const byte = bytes[p]!;
      if (byte === lessThan || byte === ampersand) return p;
      if (byte === greaterThan) {
        if (this.#bracketsBefore(source, p)) malformed("']]>' in text");
        p++;
      } else {
        const length = this.#special(bytes, p, end);
        if (length === 0) return ~p;
        p += length;
      }
    }
  }

  /** Scans from `at` to the `>` that ends a CDATA section (XML 1.0 §2.7). */
  scanCdata(source: Source, at: number, end: number): number {
    const { bytes } = source;
    let p = at;
    for (;;) {
      p = skip(bytes, cdataStop, p, end);
      if (p === end) return p;
      if (bytes[p] === greaterThan) {
        if (this.#bracketsBefore(source, p)) return p;
        p++;
      } else {
        const length = this.#special(bytes, p, end);
        if (length === 0) return ~p;
        p += length;
      }
    }
  }

  #bracketsBefore({ bytes, base }: Source, p: number): boolean {
    return p - base - this.start >= 2 && bytes[p - 1] === closingBracket && bytes[p - 2] === closingBracket;
  }

  #special(bytes: Buffer, p: number, end: number): number {
    const byte = bytes[p]!;
    if (byte >= nonAscii) {
      if (this.form === plainForm) this.form = wideForm;
      return characterLength(bytes, p, end);
    }
    if (byte === carriageReturn) this.form = escapedForm;
    else if (byte < space) malformed('control character');
    return 1;
  }
}
