/** One DER item (X.690): its tag and its content. */
export interface DerItem {
  readonly tag: number;
  readonly content: Buffer;
}

/** Thrown for bytes that are not the DER of certificates. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

const longestLengthBytes = 4;

/** Splits DER into its items. Throws `DerError`. */
export function derItems(bytes: Buffer): DerItem[] {
  const found: DerItem[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { item, end } = itemAt(bytes, at);
    found.push(item);
    at = end;
  }
  return found;
}

/** The items inside the first item of `bytes`; empty without one. */
export function derChildren(bytes: Buffer | undefined): DerItem[] {
  return derItems(derItems(bytes ?? Buffer.alloc(0))[0]?.content ?? Buffer.alloc(0));
}

function itemAt(bytes: Buffer, at: number): { item: DerItem; end: number } {
  if (at + 2 > bytes.length) throw new DerError('an item without a length');
  const first = bytes.readUInt8(at + 1);
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  // A long tag would be misread; 0x80 is the indefinite length of BER.
  if ((bytes.readUInt8(at) & 0x1f) === 0x1f || first === 0x80) throw new DerError('not DER');
  const start = at + 2 + lengthBytes;
  if (lengthBytes > longestLengthBytes || start > bytes.length) throw new DerError('a length that is too long');
  const end = start + (lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes));
  if (end > bytes.length) throw new DerError('an item that is cut off');
  return { item: { tag: bytes.readUInt8(at), content: bytes.subarray(start, end) }, end };
}
