const slots = 4096;
const maxLength = 48;

const texts: string[] = new Array<string>(slots).fill('');
const keys = new Uint8Array(slots * maxLength);

/**
 * The string of an ASCII byte range. Names, namespaces and addresses come again and again: the last string of each
 * slot is kept and given out again, which saves the decoding and the garbage. A slot holds one string, so what a
 * hostile peer can do to the table is empty it.
 */
export function internedText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return '';
  if (length > maxLength) return bytes.toString('latin1', start, end);
  const slot = slotOf(bytes, start, length);
  const known = texts[slot]!;
  const key = slot * maxLength;
  if (known.length === length) {
    let i = 0;
    while (i < length && keys[key + i] === bytes[start + i]) i++;
    if (i === length) return known;
  }
  const text = bytes.toString('latin1', start, end);
  for (let i = 0; i < length; i++) keys[key + i] = bytes[start + i]!;
  texts[slot] = text;
  return text;
}

function slotOf(bytes: Buffer, start: number, length: number): number {
  const last = start + length - 1;
  let hash = length * 31 + bytes[start]!;
  hash = hash * 31 + bytes[last]!;
  hash = hash * 31 + bytes[start + (length >> 1)]!;
  hash = hash * 31 + bytes[start + (length >> 2)]!;
  hash = hash * 31 + bytes[last - (length >> 2)]!;
  return (hash ^ (hash >>> 12)) & (slots - 1);
}
