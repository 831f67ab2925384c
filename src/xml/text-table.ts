const slots = 4096;
const maxLength = 48;

/**
 * Returns the strings of ASCII byte ranges. Each slot keeps its last string and returns it again, which saves decoding and
 * garbage. A slot holds one short string, so a hostile peer can only empty the table.
 */
class TextTable {
  readonly #texts: string[] = new Array<string>(slots).fill('');
  readonly #keys = new Uint8Array(slots * maxLength);
  readonly #keep: (text: string) => string;

  /** `keep` returns the string to use in place of a new one. */
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
 * Names and namespaces, which are few. V8 has one string for each property name: with that string, a comparison with a
 * literal compares two pointers.
 */
export const names = new TextTable((text) => Object.keys({ [text]: 0 })[0]!);

/** Attribute values that repeat: addresses and types. */
export const values = new TextTable();
