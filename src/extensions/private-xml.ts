import { ns } from '../protocol/namespaces.ts';
import { StanzaError } from '../protocol/stanza-error.ts';
import type { Extension, IqRequest } from '../routing/extension.ts';
import { accountShownTo } from '../routing/visibility.ts';
import type { PrivateXmlStore } from '../storage/private-xml.ts';
import { StorageError } from '../storage/storage-error.ts';
import { childElements, type Element, nsOf, xml } from '../xml/element.ts';
import { parseElement } from '../xml/parse-element.ts';
import { serialize } from '../xml/serialize.ts';

/** The most bytes of private XML of one account. */
const maxBytes = 1_048_576;

const own = { name: 'query', ns: ns.privateXml, scopes: ['self'] } as const;
const foreign = { name: 'query', ns: ns.privateXml, scopes: ['other'], handle: forbid } as const;

/** Private XML Storage (XEP-0049). */
export function privateXml(store: Pick<PrivateXmlStore, 'get' | 'set'>): Extension {
  return {
    name: 'private-xml',
    claims: [{ spec: 'XEP-0049', title: 'Private XML Storage', version: '1.2', status: 'complete' }],
    disco: { domain: [ns.privateXml], account: [ns.privateXml] },
    iq: [
      { ...own, type: 'get', handle: (request) => read(store, request) },
      { ...own, type: 'set', handle: (request) => write(store, request) },
      { ...foreign, type: 'get' },
      { ...foreign, type: 'set' },
    ],
  };
}

/** XEP-0049 §2.3: private XML of another address is forbidden, whether or not the account exists. */
function forbid(): never {
  throw StanzaError.forbidden();
}

async function read(store: Pick<PrivateXmlStore, 'get'>, request: IqRequest): Promise<Element> {
  const [asked, ...more] = fragments(request.payload);
  if (!asked || more.length > 0) throw StanzaError.notAcceptable('request exactly one element');
  const stored = await store.get(accountShownTo(request).key, asked.getName(), nsOf(asked));
  const found = stored === undefined ? xml(asked.getName(), { xmlns: nsOf(asked) }) : parseElement(stored);
  return xml('query', { xmlns: ns.privateXml }, found);
}

async function write(store: Pick<PrivateXmlStore, 'set'>, request: IqRequest): Promise<undefined> {
  const { key } = accountShownTo(request);
  const given = fragments(request.payload);
  if (given.length === 0) throw StanzaError.notAcceptable('the request has no element to store');
  if (new Set(given.map(nsOf)).size > 1) throw StanzaError.notAcceptable('all elements must have the same namespace');
  if (new Set(given.map((element) => element.getName())).size < given.length) {
    throw StanzaError.notAcceptable('the same element occurs twice');
  }
  const saved = given.map((element) => store.set(key, element.getName(), nsOf(element), serialize(element), maxBytes));
  await Promise.all(saved).catch((error: unknown) => {
    if (!(error instanceof StorageError) || error.code !== 'quota') throw error;
    throw StanzaError.resourceConstraint('the private XML storage is full');
  });
  return undefined;
}

/** The children, each in a namespace of its own choice (XEP-0049 §2.3). */
function fragments(query: Element): Element[] {
  const children = childElements(query);
  const proper = (element: Element) => ![ns.privateXml, ns.client, ''].includes(nsOf(element));
  if (!children.every(proper)) throw StanzaError.notAcceptable('every element needs its own namespace');
  return children;
}
