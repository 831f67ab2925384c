import { byteLengthOf, type Pieces, writePieces } from '../../streams/pieces.ts';

/** The final frame of a text message. */
const finalText = 0x81;
/** The length is in the next two bytes, or in the next eight. */
const [twoBytesMore, eightBytesMore] = [126, 127];

/** Makes a frame of each message (RFC 6455 §5.2), and one buffer of all frames. Frames of a server have no mask. */
export function textFrames(messages: readonly Pieces[]): Buffer {
  const sizes = messages.map(byteLengthOf);
  const frames = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + headerBytes(size) + size, 0));
  let at = 0;
  for (const [index, pieces] of messages.entries())
    at = writePieces(frames, writeHeader(frames, at, sizes[index] ?? 0), pieces);
  return frames;
}

function headerBytes(size: number): number {
  if (size < twoBytesMore) return 2;
  return size < 2 ** 16 ? 4 : 10;
}

function writeHeader(frames: Buffer, at: number, size: number): number {
  frames[at] = finalText;
  if (size < twoBytesMore) return frames.writeUInt8(size, at + 1);
  frames[at + 1] = size < 2 ** 16 ? twoBytesMore : eightBytesMore;
  if (size < 2 ** 16) return frames.writeUInt16BE(size, at + 2);
  return frames.writeUInt32BE(size, frames.writeUInt32BE(0, at + 2));
}
