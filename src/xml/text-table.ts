const slots = 4096;
const maxLength = 48;

/**
 * Gives out the strings of ASCII byte ranges. The last string of each slot is kept and given out again, which saves
 * the decoding and the garbage. A slot holds one short string, so what a hostile peer can do to the table is empty it.
 */
class TextTable {
  readonly #texts: string[] = new Array<string>(slots).fill('');
  readonly #keys = new Uint8Array(slots * maxLength);
  readonly #keep: (text: string) => string;

  /** `keep` is asked for the string to give out instead of a new one. */
  constructor(keep: (text: string) => string = (text) => text) {
    this.#keep = keep;
  }

  text(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return '';
    if (length > maxLength) return bytes.toString('latin1', start, end);
    const slot = slotOf(bytes, start, length);
    const known = this.#texts[slot]!;
    if (known.length === length && sameBytes(this.#keys, slot * maxLength, bytes, start, end)) return known;
    const text = this.#keep(bytes.toString('latin1', start, end));
    this.#texts[slot] = text;
    const offset = slot * maxLength - start;
    for (let p = start; p < end; p++) this.#keys[p + offset] = bytes[p]!;
    return text;
  }
}

function sameBytes(keys: Uint8Array, key: number, bytes: Buffer, start: number, end: number): boolean {
  const offset = key - start;
  let p = start;
  while (p < end && keys[p + offset] === bytes[p]) p++;
  return p === end;
}

function slotOf(bytes: Buffer, start: number, length: number): number {
  const last = start + length - 1;
  const ends = bytes[start]! + (bytes[last]! << 2) + (length << 5);
  return (ends + (bytes[start + (length >> 1)]! << 4) + (bytes[last - (length >> 2)]! << 7)) & (slots - 1);
}

/**
 * Names and namespaces, which are few. V8 keeps one string of each property name: with that one, comparing with a
 * literal is comparing two pointers.
 */
export const names = new TextTable((text) => Object.keys({ [text]: 0 })[0]!);

/** Attribute values that come again: addresses and types. */
export const values = new TextTable();
