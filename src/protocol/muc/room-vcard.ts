import { createHash } from 'node:crypto';
import { childElements, childNamed, type Element, nsOf, textOf, xml } from '../../xml/element.ts';
import { serialize } from '../../xml/serialize.ts';
import { ns } from '../namespaces.ts';
import { StanzaError } from '../stanza-error.ts';

/** The vCard of a room, in which its owner keeps an avatar (XEP-0486). */
export interface RoomVcard {
  readonly xml: string;
  /** The SHA-1 of each photo in it, in hexadecimal. All photos show the same (XEP-0486 §5.1). */
  readonly avatarHashes: readonly string[];
}

/** The most bytes of a vCard. */
const maxBytes = 64 * 1024;

/** Reads the vCard that an owner stores; undefined if it is empty, which removes the one before. Throws `not-acceptable`. */
export function readRoomVcard(card: Element): RoomVcard | undefined {
  if (childElements(card).length === 0) return undefined;
  const text = serialize(card);
  if (Buffer.byteLength(text) > maxBytes) throw StanzaError.notAcceptable('the vCard is too large');
  return { xml: text, avatarHashes: photosIn(card).map((photo) => createHash('sha1').update(photo).digest('hex')) };
}

/** The element with the hash of the avatar, for presence; it is empty if the room has no avatar (XEP-0153 §4.1). */
export function avatarElement([hash]: readonly string[]): Element {
  return xml('x', { xmlns: ns.vcardUpdate }, xml('photo', {}, hash));
}

function photosIn(card: Element): Buffer[] {
  const photos = childElements(card).filter((child) => child.getName() === 'PHOTO' && nsOf(child) === ns.vcard);
  return photos.flatMap((photo) => {
    const image = childNamed(photo, 'BINVAL', ns.vcard);
    const bytes = Buffer.from(image ? textOf(image) : '', 'base64');
    return bytes.length > 0 ? [bytes] : [];
  });
}
