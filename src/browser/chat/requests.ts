import { ns } from '../../protocol/namespaces.ts';
import { toBase64, utf8 } from './base64.ts';
import { childOf, el, type XmlElement } from './element.ts';

const identity = { category: 'client', type: 'web', name: 'Ampere chat' };

/** What the client says of itself (XEP-0030), and the nodes whose events it wants (XEP-0163 §5.1), in the order of their code points. */
const features = [
  ns.caps,
  ns.chatMarkers,
  ns.chatStates,
  ns.discoInfo,
  `${ns.displayedMarkers}+notify`,
  ns.muc,
  `${ns.nickname}+notify`,
  ns.outOfBand,
  `${ns.avatarMetadata}+notify`,
  ns.correction,
  ns.ping,
  ns.receipts,
  ns.retraction,
].toSorted();

const capsNode = 'urn:ampere:chat';

/** The hash of all this, by which the server knows which events to send (XEP-0115 §5). */
export async function capsElement(): Promise<XmlElement> {
  const { category, type, name } = identity;
  const text = [`${category}/${type}//${name}`, ...features, ''].join('<');
  const ver = toBase64(new Uint8Array(await crypto.subtle.digest('SHA-1', utf8(text))));
  return el(ns.caps, 'c', { hash: 'sha-1', node: capsNode, ver });
}

/** The answer to a request of the server or of another client; undefined for a stanza that is none. */
export function answerRequest(stanza: XmlElement, isTaken: boolean): XmlElement | undefined {
  const { id, from: to, type } = stanza.attributes;
  if (type !== 'get' && type !== 'set') return undefined;
  const answer = (...payload: XmlElement[]) => el(ns.client, 'iq', { type: 'result', id, to }, ...payload);
  if (isTaken || childOf(stanza, 'ping', ns.ping)) return answer();
  const query = childOf(stanza, 'query', ns.discoInfo);
  if (query && type === 'get') {
    const listed = features.map((name) => el(ns.discoInfo, 'feature', { var: name }));
    const { node } = query.attributes;
    return answer(el(ns.discoInfo, 'query', { node }, el(ns.discoInfo, 'identity', identity), ...listed));
  }
  const condition = el(ns.stanzaErrors, 'service-unavailable');
  return el(ns.client, 'iq', { type: 'error', id, to }, el(ns.client, 'error', { type: 'cancel' }, condition));
}
