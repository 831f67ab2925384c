import { resolveReference } from './reference.ts';
import { names, values } from './text-table.ts';

/** The form of a piece of text: plain ASCII, with characters beyond ASCII, or with a need for normalization. */
export type TextForm = 0 | 1 | 2;
export const plainForm = 0;
export const wideForm = 1;
export const escapedForm = 2;

const nothing = Buffer.alloc(0);
const referenceOrLineEnd = /\r\n?|&([^;]*);/g;
const referenceOrSpace = /\r\n|[\t\n\r]|&([^;]*);/g;

/** The bytes being scanned. All offsets count from `base`, so that the bytes can be moved to another buffer. */
export class Source {
  bytes: Buffer = nothing;
  base = 0;

  /** Releases the bytes. */
  release(): void {
    this.bytes = nothing;
  }

  /** The text of a scanned name. */
  name(start: number, end: number, ascii: boolean): string {
    const { bytes, base } = this;
    return ascii ? names.text(bytes, base + start, base + end) : bytes.toString('utf8', base + start, base + end);
  }

  /** Character data with its references resolved and its line ends normalized (XML 1.0 §2.11). */
  text(start: number, end: number, form: TextForm): string {
    const text = this.bytes.toString(form === plainForm ? 'latin1' : 'utf8', this.base + start, this.base + end);
    if (form !== escapedForm) return text;
    return text.replace(referenceOrLineEnd, (_match, body?: string) =>
      body === undefined ? '\n' : resolveReference(body),
    );
  }

  /** The content of a CDATA section, in which only line ends are normalized. */
  cdata(start: number, end: number): string {
    return this.bytes.toString('utf8', this.base + start, this.base + end).replace(/\r\n?/g, '\n');
  }

  /** An attribute value, normalized (XML 1.0 §3.3.3). */
  value(start: number, end: number, form: TextForm): string {
    const { bytes, base } = this;
    if (form === plainForm) return values.text(bytes, base + start, base + end);
    const text = bytes.toString('utf8', base + start, base + end);
    if (form === wideForm) return text;
    return text.replace(referenceOrSpace, (_match, body?: string) =>
      body === undefined ? ' ' : resolveReference(body),
    );
  }
}
