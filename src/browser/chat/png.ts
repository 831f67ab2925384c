import type { PngPicture } from './own-account.ts';

/** Pixels of each side of a picture of a user. */
const size = 128;

/** Makes a small square PNG of a picture. Rejects with an Error whose message the user can read. */
export async function pngOf(file: Blob): Promise<PngPicture> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error('This file is no picture that the browser can read.');
  });
  const canvas = new OffscreenCanvas(size, size);
  const side = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  canvas.getContext('2d')?.drawImage(bitmap, left, top, side, side, 0, 0, size, size);
  bitmap.close();
  const png = await canvas.convertToBlob({ type: 'image/png' });
  return { bytes: new Uint8Array(await png.arrayBuffer()), size };
}
