import { unwrapCarbon } from '../../protocol/carbon.ts';
import { isOnlyChatState, isQuiet } from '../../protocol/message-kind.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Stanza } from '../../protocol/stanza.ts';
import { attribute, childElements } from '../../xml/element.ts';

/** When an inactive client gets a stanza. */
type Urgency =
  /** At once, behind all that waits. */
  | 'now'
  /** With the next stanza that is sent at once. */
  | 'later'
  /** The same, unless a stanza with the same key takes its place. */
  | { readonly replacedBy: string };

/**
 * How urgent a stanza is for an inactive client (XEP-0352 §3.2). Waiting: presence, chat states, receipts, chat markers, changes of earlier
 * messages, and events of nodes (XEP-0060 §7.1.2). A carbon is as urgent as the message in it.
 */
export function urgencyOf(stanza: Stanza): Urgency {
  switch (stanza.kind) {
    case 'presence':
      return urgencyOfPresence(stanza);
    case 'message':
      return urgencyOfMessage(stanza);
    case 'iq':
      return 'now';
  }
}

/** Answers to subscriptions and errors are for the user. */
function urgencyOfPresence({ type, from }: Stanza): Urgency {
  return type === undefined || type === 'unavailable' ? { replacedBy: `presence ${from}` } : 'now';
}

/** All carbons come from the same address, so the peer is the one of the message that a carbon carries. */
function urgencyOfMessage(stanza: Stanza): Urgency {
  const { direction = 'direct', message = stanza } = unwrapCarbon(stanza) ?? {};
  const { type, payload, from, to } = message;
  // The rules of a message may give it little time (XEP-0079 §3.3.2).
  if (type === 'error' || payload.has('amp', ns.amp)) return 'now';
  if (isOnlyChatState(payload)) return { replacedBy: `state ${direction} ${direction === 'sent' ? to : from}` };
  if (isQuiet(payload)) return 'later';
  return urgencyOfEvent(message);
}

/** A newer version of an item takes the place of an older one. Everything else that happens at a node stays in its order. */
function urgencyOfEvent({ from, payload }: Stanza): Urgency {
  const child = payload.find('event', ns.pubsubEvent);
  if (!child || payload.has('body', ns.client)) return 'now';
  const [items] = childElements(payload.element(child));
  const [item, ...others] = items ? childElements(items) : [];
  if (!items || item?.getName() !== 'item' || others.length > 0) return 'later';
  const [node, id] = [attribute(items, 'node'), attribute(item, 'id')];
  return id === undefined ? 'later' : { replacedBy: JSON.stringify(['event', from?.toString(), node, id]) };
}
