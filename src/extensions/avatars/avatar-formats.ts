import { createHash } from 'node:crypto';
import { ns } from '../../protocol/namespaces.ts';
import { attribute, childElements, type Element, nsOf, textOf, xml } from '../../xml/element.ts';
import { parseElement } from '../../xml/parse-element.ts';
import { serialize } from '../../xml/serialize.ts';

/** An avatar that its metadata describes (XEP-0084 §4.2). */
export interface Avatar {
  /** The SHA-1 of the image, in hexadecimal: the id of its item. */
  readonly id: string;
  readonly type: string;
}

/** An image in a vCard. */
export interface Photo {
  readonly bytes: Buffer;
  /** As the vCard says; the image may be of another one. */
  readonly type: string;
}

/** The avatar in the payload of metadata; `none` if the user has no avatar, undefined if the image is on another server only. */
export function avatarIn(metadata: string): Avatar | 'none' | undefined {
  const infos = childrenOf(parseElement(metadata), 'info', ns.avatarMetadata);
  if (infos.length === 0) return 'none';
  const info = infos.find((one) => attribute(one, 'url') === undefined);
  const id = info && attribute(info, 'id');
  if (!info || !id || !/^[0-9a-f]{40}$/i.test(id)) return undefined;
  return { id, type: attribute(info, 'type') ?? 'image/png' };
}

/** The payload of metadata about an image; about no image if there is none. */
export function metadataPayload(photo?: Photo): string {
  const info = photo && { id: hashOf(photo), bytes: photo.bytes.length, type: typeOf(photo) };
  return serialize(xml('metadata', { xmlns: ns.avatarMetadata }, info && xml('info', info)));
}

/** The payload of the data of an image. */
export function dataPayload({ bytes }: Photo): string {
  return serialize(xml('data', { xmlns: ns.avatarData }, bytes.toString('base64')));
}

/** The image in the payload of data; nothing if it is not the one that the metadata means. */
export function photoFrom(data: string, { id, type }: Avatar): Photo | undefined {
  const photo = { bytes: Buffer.from(textOf(parseElement(data)), 'base64'), type };
  return hashOf(photo) === id.toLowerCase() ? photo : undefined;
}

/** The SHA-1 of an image, in hexadecimal. */
export function hashOf({ bytes }: Photo): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** The image in a vCard (XEP-0153 §4.5); `none` if it has none, undefined if it has only the address of one. */
export function photoIn(card: Element): Photo | 'none' | undefined {
  const photos = childrenOf(card, 'PHOTO', ns.vcard);
  for (const photo of photos) {
    const bytes = Buffer.from(textIn(photo, 'BINVAL'), 'base64');
    if (bytes.length > 0) return { bytes, type: textIn(photo, 'TYPE').trim() };
  }
  return photos.some((photo) => textIn(photo, 'EXTVAL') !== '') ? undefined : 'none';
}

/** The vCard with another image, or with none. */
export function withPhoto(card: Element, photo?: Photo): Element {
  const others = card.children.filter((child) => typeof child === 'string' || !isPhoto(child));
  const added =
    photo &&
    xml('PHOTO', { xmlns: ns.vcard }, xml('TYPE', {}, photo.type), xml('BINVAL', {}, photo.bytes.toString('base64')));
  return xml(card.name, card.attrs, ...others, added);
}

/** The hash that a presence carries; '' if it says that there is none, undefined if it does not say (XEP-0153 §4.1). */
export function hashIn(update: Element): string | undefined {
  const [photo] = childrenOf(update, 'photo', ns.vcardUpdate);
  return photo && textOf(photo).trim().toLowerCase();
}

const signatures: readonly (readonly [type: string, bytes: string])[] = [
  ['image/png', '89504e47'],
  ['image/jpeg', 'ffd8ff'],
  ['image/gif', '47494638'],
  ['image/webp', '52494646'],
];

/** The type of an image by its first bytes, because that in a vCard is a hint only (XEP-0153 §5). */
function typeOf({ bytes, type }: Photo): string {
  const start = bytes.toString('hex', 0, 4);
  const known = signatures.find(([, signature]) => start.startsWith(signature));
  return known?.[0] ?? (type || 'image/png');
}

function isPhoto(child: Element): boolean {
  return child.getName() === 'PHOTO' && nsOf(child) === ns.vcard;
}

function childrenOf(parent: Element, name: string, namespace: string): Element[] {
  return childElements(parent).filter((child) => child.getName() === name && nsOf(child) === namespace);
}

function textIn(parent: Element, name: string): string {
  const [child] = childrenOf(parent, name, ns.vcard);
  return child ? textOf(child) : '';
}
