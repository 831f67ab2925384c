import { ns } from '../../protocol/namespaces.ts';
import { childOf, el, type XmlElement } from './element.ts';

/** What the client says of itself (XEP-0030). */
const features = [ns.discoInfo, ns.ping, ns.receipts, ns.chatStates, ns.muc, ns.outOfBand];

/** The answer to a request of the server or of another client; undefined for a stanza that is none. */
export function answerRequest(stanza: XmlElement, isTaken: boolean): XmlElement | undefined {
  const { id, from: to, type } = stanza.attributes;
  if (type !== 'get' && type !== 'set') return undefined;
  const answer = (...payload: XmlElement[]) => el(ns.client, 'iq', { type: 'result', id, to }, ...payload);
  if (isTaken || childOf(stanza, 'ping', ns.ping)) return answer();
  const query = childOf(stanza, 'query', ns.discoInfo);
  if (query && type === 'get') {
    const identity = el(ns.discoInfo, 'identity', { category: 'client', type: 'web', name: 'Ampere chat' });
    const listed = features.map((name) => el(ns.discoInfo, 'feature', { var: name }));
    return answer(el(ns.discoInfo, 'query', { node: query.attributes['node'] }, identity, ...listed));
  }
  const condition = el(ns.stanzaErrors, 'service-unavailable');
  return el(ns.client, 'iq', { type: 'error', id, to }, el(ns.client, 'error', { type: 'cancel' }, condition));
}
