/** The pieces of one part of a stream, such as a stanza. */
export type Pieces = readonly (string | Buffer)[];

/** Bytes of the pieces in UTF-8. */
export function byteLengthOf(pieces: Pieces): number {
  let bytes = 0;
  for (const piece of pieces) bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  return bytes;
}

/** Writes the pieces into a buffer with enough room. Returns the offset behind them. */
export function writePieces(into: Buffer, offset: number, pieces: Pieces): number {
  let at = offset;
  for (const piece of pieces) {
    if (typeof piece === 'string') at += into.write(piece, at);
    else {
      into.set(piece, at);
      at += piece.length;
    }
  }
  return at;
}

/** Joins the pieces of a part of a stream. */
export function joinPieces(pieces: Pieces): Buffer {
  const whole = Buffer.allocUnsafe(byteLengthOf(pieces));
  writePieces(whole, 0, pieces);
  return whole;
}
