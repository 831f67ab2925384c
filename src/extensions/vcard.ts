import { ns } from '../protocol/namespaces.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Extension, IqRequest } from '../routing/extension.ts';
import { accountShownTo } from '../routing/visibility.ts';
import type { VcardStore } from '../storage/vcards.ts';
import type { Element } from '../xml/element.ts';
import { parseElement } from '../xml/parse-element.ts';
import { serialize } from '../xml/serialize.ts';

/** The most bytes of a vCard. More than a stanza may have by default; a limit for servers that allow larger stanzas. */
const maxBytes = 262_144;

const card = { name: 'vCard', ns: ns.vcard } as const;

/** vcard-temp (XEP-0054). Everybody may read the vCard of an account; only its user may write it. */
export function vcard(store: VcardStore): Extension {
  return {
    name: 'vcard',
    claims: [{ spec: 'XEP-0054', title: 'vcard-temp', version: '1.3.0', status: 'complete' }],
    disco: { domain: [ns.vcard], account: [ns.vcard] },
    iq: [
      { ...card, type: 'get', scopes: ['self'], handle: (request) => readOwn(store, request) },
      { ...card, type: 'set', scopes: ['self'], handle: (request) => write(store, request) },
      { ...card, type: 'get', scopes: ['other'], handle: (request) => readOther(store, request) },
      { ...card, type: 'set', scopes: ['other'], handle: forbid },
    ],
  };
}

async function readOwn(store: VcardStore, request: IqRequest): Promise<Element> {
  const stored = await store.get(accountShownTo(request).key);
  if (stored === undefined) throw StanzaError.itemNotFound();
  return parseElement(stored);
}

/** XEP-0054 §3.3: an account without a vCard looks like no account. */
async function readOther(store: VcardStore, { account }: IqRequest): Promise<Element> {
  const stored = account && (await store.get(account.key));
  if (stored === undefined) throw StanzaError.serviceUnavailable();
  return parseElement(stored);
}

async function write(store: VcardStore, request: IqRequest): Promise<undefined> {
  const text = serialize(request.payload);
  if (Buffer.byteLength(text) > maxBytes) throw StanzaError.resourceConstraint('the vCard is too large');
  await store.set(accountShownTo(request).key, text);
  return undefined;
}

/** XEP-0054 §3.2. */
function forbid(): never {
  throw StanzaError.forbidden();
}
