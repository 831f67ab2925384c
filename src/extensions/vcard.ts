import type { Jid } from '../protocol/jid.ts';
import { ns } from '../protocol/namespaces.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Account } from '../routing/account.ts';
import type { Extension, IqRequest } from '../routing/extension.ts';
import type { MaybePromise } from '../routing/maybe-promise.ts';
import { accountShownTo } from '../routing/visibility.ts';
import type { VcardStore } from '../storage/vcards.ts';
import type { Element } from '../xml/element.ts';
import { parseElement } from '../xml/parse-element.ts';
import { serialize } from '../xml/serialize.ts';

/** The most bytes of a vCard. More than a stanza may have by default; a limit for servers that allow larger stanzas. */
const maxBytes = 262_144;

const card = { name: 'vCard', ns: ns.vcard } as const;

/** Dependencies of vCards. */
interface VcardDeps {
  readonly store: Pick<VcardStore, 'get' | 'set'>;
  readonly photos: CardPhotos;
}

/** Keeps the photos of vCards elsewhere. */
interface CardPhotos {
  /** A vCard as somebody may see it, with the photo of the account. Nothing if there is neither. */
  shown(account: Account, reader: Jid, card: Element | undefined): MaybePromise<Element | undefined>;
  /** Takes the photo out of a vCard that its owner stores. Returns what is left to store. Throws StanzaError. */
  taken(account: Account, card: Element): MaybePromise<Element>;
}

/** vcard-temp (XEP-0054). Everybody may read the vCard of an account; only its user may write it. */
export function vcard(deps: VcardDeps): Extension {
  return {
    name: 'vcard',
    claims: [{ spec: 'XEP-0054', title: 'vcard-temp', version: '1.3.0', status: 'complete' }],
    disco: { domain: [ns.vcard], account: [ns.vcard] },
    iq: [
      { ...card, type: 'get', scopes: ['self'], handle: (request) => readOwn(deps, request) },
      { ...card, type: 'set', scopes: ['self'], handle: (request) => write(deps, request) },
      { ...card, type: 'get', scopes: ['other'], handle: (request) => readOther(deps, request) },
      { ...card, type: 'set', scopes: ['other'], handle: forbid },
    ],
  };
}

async function readOwn(deps: VcardDeps, request: IqRequest): Promise<Element> {
  const found = await shown(deps, accountShownTo(request), request.from);
  if (!found) throw StanzaError.itemNotFound();
  return found;
}

/** XEP-0054 §3.3: an account without a vCard looks like no account. */
async function readOther(deps: VcardDeps, { account, from }: IqRequest): Promise<Element> {
  const found = account && (await shown(deps, account, from));
  if (!found) throw StanzaError.serviceUnavailable();
  return found;
}

async function shown({ store, photos }: VcardDeps, account: Account, reader: Jid): Promise<Element | undefined> {
  const stored = await store.get(account.key);
  return photos.shown(account, reader, stored === undefined ? undefined : parseElement(stored));
}

async function write({ store, photos }: VcardDeps, request: IqRequest): Promise<undefined> {
  if (Buffer.byteLength(serialize(request.payload)) > maxBytes)
    throw StanzaError.resourceConstraint('the vCard is too large');
  const account = accountShownTo(request);
  const left = await photos.taken(account, request.payload);
  await store.set(account.key, serialize(left));
  return undefined;
}

/** XEP-0054 §3.2. */
function forbid(): never {
  throw StanzaError.forbidden();
}
