import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { Account } from '../../routing/account.ts';
import type { LoadedState } from '../../routing/account-slot.ts';
import type { Claim, Extension } from '../../routing/extension.ts';
import type { PersonalNodes } from '../../routing/personal-nodes.ts';
import type { Routing } from '../../routing/routing.ts';
import type { PepStore } from '../../storage/pep.ts';
import { StorageError } from '../../storage/storage-error.ts';
import type { VcardStore } from '../../storage/vcards.ts';
import type { Log } from '../../support/log.ts';
import { xml } from '../../xml/element.ts';
import type { Payload } from '../../xml/payload.ts';
import { hashIn } from './avatar-formats.ts';
import { AvatarPhotos } from './avatar-photos.ts';

/** Dependencies of avatars. */
interface AvatarsDeps extends Pick<Routing, 'sessions' | 'announceAgain'> {
  readonly nodes: PersonalNodes;
  readonly storage: { readonly pep: Pick<PepStore, 'lastItems'>; readonly vcards: VcardStore };
  readonly log: Log;
}

/** Avatars: the extension, and the photos of vCards. */
interface Avatars {
  readonly extension: Extension;
  readonly photos: Pick<AvatarPhotos, 'shown' | 'taken'>;
}

const claims: readonly Claim[] = [
  { spec: 'XEP-0084', title: 'User Avatar', version: '1.1.4', status: 'complete' },
  { spec: 'XEP-0153', title: 'vCard-Based Avatars', version: '1.1.1', status: 'complete' },
  { spec: 'XEP-0398', title: 'User Avatar to vCard-Based Avatars Conversion', version: '1.0.0', status: 'complete' },
];

/** Avatars: clients that use the photo of a vCard and clients that use nodes see the same (XEP-0398). */
export function avatars({ nodes, storage, sessions, announceAgain, log }: AvatarsDeps): Avatars {
  const photos = new AvatarPhotos({ nodes, store: storage.pep, vcards: storage.vcards });
  const presence = new AvatarPresence(photos);
  const inBackground = (work: Promise<void>) => {
    work.catch((error: unknown) => {
      // The account has no room, or the disk is full: it is tried again when the account is loaded next.
      if (error instanceof StanzaError || (error instanceof StorageError && error.isPassing)) return;
      log.error({ err: error }, 'the avatar of an account could not be converted or told');
    });
  };
  const changed = async (account: Account) => {
    if (!(await photos.refresh(account))) return;
    for (const session of sessions.of(account.key)) announceAgain(session);
  };
  const conversion: LoadedState = {
    load: async (owner) => {
      const card = await storage.vcards.getWithImage(owner);
      return (account) => {
        if (card !== undefined) inBackground(photos.convert(account, card));
      };
    },
  };
  const extension: Extension = {
    name: 'avatars',
    claims,
    disco: { account: [ns.vcardConversion] },
    nodes: [{ node: ns.avatarMetadata, changed: (account) => inBackground(changed(account)) }],
    accountSlots: [photos.known, conversion],
    presence: { dress: (stanza, account) => presence.dress(stanza, account) },
  };
  return { extension, photos };
}

/** Puts the hash of the avatar into available presence (XEP-0398 §4). */
class AvatarPresence {
  readonly #photos: Pick<AvatarPhotos, 'known'>;
  /** What clients have sent, by what was made of it: an empty hash of theirs stays, and one of ours does not. */
  readonly #sent = new WeakMap<Payload, Payload>();

  constructor(photos: Pick<AvatarPhotos, 'known'>) {
    this.#photos = photos;
  }

  dress(presence: Stanza, account: Account): Stanza {
    const avatar = this.#photos.known.of(account);
    if (!avatar) return presence;
    const hash = avatar === 'none' ? '' : avatar.id.toLowerCase();
    const sent = this.#sent.get(presence.payload) ?? presence.payload;
    const claimed = hashClaimed(sent);
    if (claimed === '' || claimed === hash)
      return sent === presence.payload ? presence : presence.with({ payload: sent });
    const update = xml('x', { xmlns: ns.vcardUpdate }, xml('photo', {}, hash));
    const payload = sent.without((child) => child.name === 'x' && child.ns === ns.vcardUpdate).with(update);
    this.#sent.set(payload, sent);
    return presence.with({ payload });
  }
}

function hashClaimed(payload: Payload): string | undefined {
  const update = payload.find('x', ns.vcardUpdate);
  return update && hashIn(payload.element(update));
}
