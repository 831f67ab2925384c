import { ampersand, carriageReturn, lessThan, lineFeed, nonAscii, skip, space, tab, valueStop } from './char-class.ts';
import { NameSpan } from './name-span.ts';
import { escapedForm, plainForm, type Source, type TextForm, wideForm } from './source.ts';
import { characterLength } from './utf8.ts';
import { malformed } from './xml-error.ts';

/** Where an attribute lies in the source. */
export class AttributeSpan {
  readonly name = new NameSpan();
  valueStart = 0;
  valueEnd = 0;
  form: TextForm = plainForm;
  /** Whether it is a namespace declaration. */
  declares = false;
  ns = '';

  beginValue(start: number): void {
    this.valueStart = start;
    this.form = plainForm;
  }

  /** Scans on from `at` to the closing `quote` or the next `&` (XML 1.0 §2.3, production AttValue). */
  scanValue({ bytes }: Source, at: number, end: number, quote: number): number {
    let p = at;
    for (;;) {
      p = skip(bytes, valueStop, p, end);
      if (p === end) return p;
      const byte = bytes[p]!;
      if (byte === quote || byte === ampersand) return p;
      const length = this.#special(bytes, p, end);
      if (length === 0) return ~p;
      p += length;
    }
  }

  value(source: Source): string {
    return source.value(this.valueStart, this.valueEnd, this.form);
  }

  #special(bytes: Buffer, p: number, end: number): number {
    const byte = bytes[p]!;
    if (byte >= nonAscii) {
      if (this.form === plainForm) this.form = wideForm;
      return characterLength(bytes, p, end);
    }
    if (byte === lessThan) malformed("'<' in an attribute value");
    if (byte === tab || byte === lineFeed || byte === carriageReturn) this.form = escapedForm;
    else if (byte < space) malformed('control character');
    return 1;
  }
}
