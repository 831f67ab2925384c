import { StreamError } from '../../protocol/stream-error.ts';
import type { Frame } from '../../xml/frame.ts';

const modulus = 2 ** 32;

/** A number of stanzas as 'h' shows it: it begins again at zero after 2^32 - 1 (XEP-0198 §4). */
export function wireCount(count: number): number {
  return count % modulus;
}

/** How many stanzas lie between a count of ours and an 'h' that is not behind it, as far as numbers that wrap can tell. */
export function stanzasSince(count: number, h: number): number {
  return (h - wireCount(count) + modulus) % modulus;
}

/** Reads an 'h': an xs:unsignedInt in its usual form, or nothing. */
export function readCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const count = Number(text);
  return count < modulus ? count : undefined;
}

/** The 'h' of an acknowledgment; throws the stream error for one that is none. */
export function countIn(frame: Frame): number {
  const h = readCount(frame.attribute('h'));
  if (h === undefined) throw StreamError.badFormat("the 'h' of an acknowledgment must be an unsigned integer");
  return h;
}
