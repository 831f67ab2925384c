import { attribute } from '../xml/element.ts';
import { escapeAttribute } from '../xml/escape.ts';
import { type Child, Payload } from '../xml/payload.ts';
import type { Jid } from './jid.ts';
import { jidOrNothing } from './jid-or-nothing.ts';
import { ns } from './namespaces.ts';

/** The payload with the id that an entity has given the stanza (XEP-0359 §3.1). */
export function withStanzaId(payload: Payload, by: Jid, id: string): Payload {
  const attributes = `by="${escapeAttribute(by.toString())}" id="${escapeAttribute(id)}"`;
  return payload.joined(
    Payload.ofWritten('stanza-id', ns.stanzaId, `<stanza-id xmlns="${ns.stanzaId}" ${attributes}/>`),
  );
}

/** The id that an entity has given the stanza, if it has given one. */
export function stanzaIdBy(payload: Payload, entity: Jid): string | undefined {
  for (const child of payload.children) {
    if (!isStanzaId(child)) continue;
    const element = payload.element(child);
    if (attribute(element, 'by') === entity.toString()) return attribute(element, 'id');
  }
  return undefined;
}

/**
 * The payload without the ids of entities for which only this server speaks, before it gives ids of its own (XEP-0359 §5).
 * Addresses are compared as JIDs: `Juliet@Capulet.example` is `juliet@capulet.example`.
 */
export function withoutStanzaIds(payload: Payload, isOurs: (by: Jid) => boolean): Payload {
  if (!payload.children.some(isStanzaId)) return payload;
  return payload.without((child) => {
    const by = isStanzaId(child) ? jidOrNothing(attribute(payload.element(child), 'by')) : undefined;
    return by !== undefined && isOurs(by);
  });
}

/** Whether an entity has given the stanza an id. The text must be the one that {@link withStanzaId} writes. */
export function hasStanzaId(payload: Payload, by: Jid): boolean {
  return payload.children.some(
    (child) => isStanzaId(child) && attribute(payload.element(child), 'by') === by.toString(),
  );
}

function isStanzaId({ name, ns: childNs }: Child): boolean {
  return childNs === ns.stanzaId && name === 'stanza-id';
}
