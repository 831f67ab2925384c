import { ns } from '../../protocol/namespaces.ts';
import { Stanza } from '../../protocol/stanza.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import { Payload } from '../../xml/payload.ts';
import { answer } from './answer.ts';
import type { Ask, ExpireRequest, Reply } from './command.ts';
import { type Announcement, type Decision, nothing } from './decision.ts';
import { primaryOf } from './occupants.ts';
import { endsOf } from './private-messages.ts';
import type { OpenRequest, RoomState } from './state.ts';

/** How many requests of one client may be unanswered. */
const maxOpen = 64;

/** Requests that the server of a user answers, not its client: vCards, avatars, keys (XEP-0045 §17.4). */
const forTheAccount = new Set<string>([ns.vcard, ns.pubsub, ns.vcard4]);

const ofDiscovery = new Set<string>([ns.discoInfo, ns.discoItems]);

/** A request to another occupant (XEP-0045 §17.4). Throws StanzaError. */
export function ask(room: RoomState, { from, nick, request, id }: Ask): Decision {
  const child = request.payload.children[0];
  // XEP-0045 §6.6.
  if (child && ofDiscovery.has(child.ns) && room.kind === 'existing' && !room.occupants.with(from))
    throw StanzaError.badRequest('only occupants discover occupants');
  const { author, target } = endsOf(room, from, nick);
  if (target === author && child?.ns === ns.ping) return { changes: [], announcements: [answer(request)] };
  const open = room.kind === 'existing' ? [...room.requests.values()].filter((one) => isFrom(one, from)) : [];
  if (open.length >= maxOpen) throw StanzaError.resourceConstraint('too many unanswered requests');
  const asked = child && forTheAccount.has(child.ns) ? target.user : primaryOf(target).jid;
  const { type, lang, payload } = request;
  const stanza = new Stanza('iq', { from: author.address, id, type, lang }, payload);
  return {
    changes: [{ kind: 'request', id, request: { request: request.with({ payload: Payload.empty }), asked } }],
    announcements: [{ stanza, to: [asked] }],
  };
}

/** The answer to such a request. Only the one that was asked can give it. */
export function reply(room: RoomState, { from, answered }: Reply): Decision {
  const { id = '' } = answered;
  const open = room.kind === 'existing' ? room.requests.get(id) : undefined;
  if (!open?.asked.equals(from)) return nothing;
  return close(id, toAsker(open, answered.type === 'error' ? 'error' : 'result', withoutJids(answered)));
}

/** Nobody has answered in time. */
export function expireRequest(room: RoomState, { id }: ExpireRequest): Decision {
  const open = room.kind === 'existing' ? room.requests.get(id) : undefined;
  if (!open) return nothing;
  return close(id, toAsker(open, 'error', Payload.of(StanzaError.remoteServerTimeout().element())));
}

function close(id: string, announcement: Announcement): Decision {
  return { changes: [{ kind: 'request', id, request: undefined }], announcements: [announcement] };
}

function isFrom({ request }: OpenRequest, from: Ask['from']): boolean {
  return request.from?.equals(from) === true;
}

function toAsker({ request }: OpenRequest, type: 'result' | 'error', payload: Payload): Announcement {
  const { from, to, id } = request;
  return { stanza: new Stanza('iq', { from: to, id, type }, payload), to: from ? [from] : [] };
}

/** An error must not say whose it is. */
function withoutJids({ type, payload }: Stanza): Payload {
  if (type !== 'error') return payload;
  const child = payload.find('error', ns.client);
  const error = child ? StanzaError.fromElement(payload.element(child)) : StanzaError.undefinedCondition();
  return Payload.of(error.withoutAddresses().element());
}
