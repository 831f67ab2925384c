import { ns } from '../../protocol/namespaces.ts';
import { childOf, el, elementsOf, textOf, type XmlElement } from './element.ts';
import { RequestFailed } from './own-requests.ts';
import type { Session } from './session.ts';

/** What the server has beside accounts. */
export interface Services {
  /** The domain of its rooms. */
  readonly rooms: string | undefined;
  /** The address that takes uploads, and the bytes of the largest one. */
  readonly upload: { readonly jid: string; readonly maxBytes: number } | undefined;
}

/** Finds the services of a domain (XEP-0030). */
export async function findServices(session: Pick<Session, 'request'>, domain: string): Promise<Services> {
  const items = await session.request('get', domain, el(ns.discoItems, 'query'));
  const jids = elementsOf(childOf(items, 'query', ns.discoItems)).map(({ attributes }) => attributes['jid'] ?? '');
  const found = await Promise.all(jids.map((jid) => describe(session, jid)));
  const upload = found.find(({ features }) => features.includes(ns.httpUpload));
  return {
    rooms: found.find(({ features }) => features.includes(ns.muc))?.jid,
    upload: upload && { jid: upload.jid, maxBytes: maxBytesOf(upload.query) },
  };
}

interface Described {
  readonly jid: string;
  readonly features: readonly (string | undefined)[];
  readonly query: XmlElement | undefined;
}

async function describe(session: Pick<Session, 'request'>, jid: string): Promise<Described> {
  try {
    const query = childOf(await session.request('get', jid, el(ns.discoInfo, 'query')), 'query', ns.discoInfo);
    const features = elementsOf(query).flatMap(({ name, attributes }) => (name === 'feature' ? attributes['var'] : []));
    return { jid, features, query };
  } catch (error) {
    // A component that is not connected.
    if (!(error instanceof RequestFailed)) throw error;
    return { jid, features: [], query: undefined };
  }
}

function maxBytesOf(query: XmlElement | undefined): number {
  const fields = elementsOf(query).flatMap((child) => (child.ns === ns.dataForm ? elementsOf(child) : []));
  const limit = fields.find(({ attributes }) => attributes['var'] === 'max-file-size');
  return Number(textOf(childOf(limit, 'value', ns.dataForm))) || Number.POSITIVE_INFINITY;
}

/**
 * Uploads a file (XEP-0363) to the address under which `reach` says that the page reaches the one of the server. Resolves with the address
 * for others; rejects with `RequestFailed`.
 */
export async function uploadFile(
  session: Pick<Session, 'request'>,
  { upload }: Services,
  file: File,
  reach: (url: string) => string,
): Promise<string> {
  if (!upload) throw new RequestFailed('service-unavailable', 'This server takes no files.');
  if (file.size > upload.maxBytes) throw new RequestFailed('not-acceptable', 'The file is too large for this server.');
  const type = file.type || 'application/octet-stream';
  const request = el(ns.httpUpload, 'request', { filename: file.name, size: file.size, 'content-type': type });
  const slot = childOf(await session.request('get', upload.jid, request), 'slot', ns.httpUpload);
  const [put, get] = ['put', 'get'].map((name) => childOf(slot, name, ns.httpUpload)?.attributes['url'] ?? '');
  if (!put || !get || !URL.canParse(put) || !URL.canParse(get)) throw new RequestFailed('undefined-condition');
  const answer = await fetch(reach(put), {
    method: 'PUT',
    body: file,
    headers: { 'content-type': type },
  });
  if (answer.status !== 201)
    throw new RequestFailed('undefined-condition', `The server did not take the file (${answer.status}).`);
  return get;
}
