import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Account } from '../../routing/account.ts';
import { AccountSlot } from '../../routing/account-slot.ts';
import type { PersonalNodes } from '../../routing/personal-nodes.ts';
import type { PepStore } from '../../storage/pep.ts';
import type { VcardStore } from '../../storage/vcards.ts';
import { type Element, xml } from '../../xml/element.ts';
import { parseElement } from '../../xml/parse-element.ts';
import { serialize } from '../../xml/serialize.ts';
import {
  type Avatar,
  avatarIn,
  dataPayload,
  hashOf,
  metadataPayload,
  type Photo,
  photoFrom,
  photoIn,
  withPhoto,
} from './avatar-formats.ts';

/** Dependencies of avatars and photos. */
interface AvatarPhotosDeps {
  readonly nodes: PersonalNodes;
  readonly store: Pick<PepStore, 'lastItems'>;
  readonly vcards: Pick<VcardStore, 'set'>;
}

/** vCards are for everybody, and so are the photos in them. */
const openNode = { accessModel: 'open' } as const;

/** Keeps the photo of a vCard as an avatar (XEP-0398). The items of XEP-0084 are the only copy. */
export class AvatarPhotos {
  /** What is known of the avatar: `none` if the user has removed it, undefined if there never was one. */
  readonly known: AccountSlot<Avatar | 'none' | undefined>;
  readonly #deps: AvatarPhotosDeps;

  constructor(deps: AvatarPhotosDeps) {
    this.#deps = deps;
    this.known = new AccountSlot(async (owner) => {
      const [metadata] = await deps.store.lastItems([{ owner, node: ns.avatarMetadata }]);
      return metadata && avatarIn(metadata.payload);
    });
  }

  /** Reads the metadata again. Resolves with whether the avatar is another one. */
  async refresh(account: Account): Promise<boolean> {
    const [metadata] = await this.#deps.nodes.items(account, ns.avatarMetadata, { newest: 1 });
    const before = this.known.of(account);
    const now = metadata ? avatarIn(metadata.payload) : before && 'none';
    this.known.set(account, now);
    return textOf(before) !== textOf(now);
  }

  /** A vCard as somebody may see it: with the avatar as its photo. Nothing if there is neither. */
  async shown(account: Account, reader: Jid, card: Element | undefined): Promise<Element | undefined> {
    const photo = await this.#photo(account, reader);
    return photo ? withPhoto(card ?? xml('vCard', { xmlns: ns.vcard }), photo) : card;
  }

  /** Takes the photo out of a vCard that its owner stores, and makes it the avatar. Returns the vCard without it. */
  async taken(account: Account, card: Element): Promise<Element> {
    const photo = photoIn(card);
    if (photo === undefined) return card;
    const [metadata] = await this.#deps.nodes.items(account, ns.avatarMetadata, { newest: 1 });
    const before = metadata && avatarIn(metadata.payload);
    if (photo !== 'none') await this.#publish(account, photo, before);
    else if (metadata && before !== 'none') await this.#publishMetadata(account);
    return withPhoto(card);
  }

  /** Makes the photo of a vCard that was stored with it, for example by another server, the avatar. An avatar that exists wins. */
  async convert(account: Account, text: string): Promise<void> {
    const card = parseElement(text);
    const photo = photoIn(card);
    if (!photo) return;
    if (photo !== 'none' && !this.known.of(account)) await this.#publish(account, photo);
    let stored: Promise<void> | undefined;
    // In turn with the changes of nodes, so that a vCard that the owner stores meanwhile comes later.
    await this.#deps.nodes.change(account, ns.avatarMetadata, () => {
      stored = this.#deps.vcards.set(account.key, serialize(withPhoto(card)));
      return undefined;
    });
    await stored;
  }

  async #photo(account: Account, reader: Jid): Promise<Photo | undefined> {
    const { nodes } = this.#deps;
    const [metadata] = await nodes.items(account, ns.avatarMetadata, { newest: 1 });
    const avatar = metadata && avatarIn(metadata.payload);
    if (!avatar || avatar === 'none') return undefined;
    const mayRead = (node: string) => nodes.mayRead(account, node, reader);
    if (!mayRead(ns.avatarMetadata) || !mayRead(ns.avatarData)) return undefined;
    const [data] = await nodes.items(account, ns.avatarData, { ids: [avatar.id] });
    return data && photoFrom(data.payload, avatar);
  }

  /** The data first: clients ask for it when they hear of the metadata (XEP-0084 §3.2). */
  async #publish(account: Account, photo: Photo, before?: Avatar | 'none'): Promise<void> {
    const id = hashOf(photo);
    if (before && before !== 'none' && before.id.toLowerCase() === id) return;
    const data = { id, payload: dataPayload(photo) };
    const change = this.#deps.nodes.change(account, ns.avatarData, () => ({ published: [data], config: openNode }));
    await Promise.all([change, this.#publishMetadata(account, photo)]);
  }

  async #publishMetadata(account: Account, photo?: Photo): Promise<void> {
    const metadata = { id: photo ? hashOf(photo) : 'current', payload: metadataPayload(photo) };
    await this.#deps.nodes.change(account, ns.avatarMetadata, () => ({ published: [metadata], config: openNode }));
  }
}

function textOf(avatar: Avatar | 'none' | undefined): string | undefined {
  return typeof avatar === 'object' ? avatar.id.toLowerCase() : avatar;
}
