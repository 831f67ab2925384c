import { attribute, childNamed, type Element, nsOf, xml } from '../xml/element.ts';
import type { Payload } from '../xml/payload.ts';
import { formatDateTime } from './date-time.ts';
import type { Jid } from './jid.ts';
import { reasonIn } from './muc/user-element.ts';
import { ns } from './namespaces.ts';
import { StanzaError } from './stanza-error.ts';

/** Who has taken the message of somebody else back, and why (XEP-0425 §4). */
export interface Moderation {
  /** The address of the moderator in the room. */
  readonly by: Jid;
  readonly occupantId: string;
  readonly reason: string | undefined;
}

/**
 * The request of a moderator (XEP-0425 §4), also in the form of version 0.2, the only one that many clients know. Undefined if there is
 * no such request. Throws `bad-request` if it names no message.
 */
export function readModeration(
  payload: Payload,
): { readonly messageId: string; readonly reason: string | undefined } | undefined {
  const child = payload.find('moderate', ns.moderation) ?? payload.find('apply-to', ns.fastening);
  if (!child) return undefined;
  const target = payload.element(child);
  const isLegacy = child.ns === ns.fastening;
  const moderate = isLegacy ? childNamed(target, 'moderate', ns.legacyModeration) : target;
  if (!moderate) return undefined;
  const messageId = attribute(target, 'id');
  if (!messageId || !childNamed(moderate, 'retract', isLegacy ? ns.legacyRetraction : ns.retraction))
    throw StanzaError.badRequest('a message to retract is missing');
  return { messageId, reason: reasonIn(moderate, nsOf(moderate)) };
}

/** The id of the message that the author of this one takes back (XEP-0424 §3). */
export function retractedId(payload: Payload): string | undefined {
  const child = payload.find('retract', ns.retraction);
  return child && attribute(payload.element(child), 'id');
}

/** The announcement that a moderator has taken a message back (XEP-0425 §4), and the same in the form of version 0.2. */
export function moderatedRetraction(messageId: string, moderation: Moderation): Element[] {
  const { by, reason } = moderation;
  const legacy = xml(
    'moderated',
    { xmlns: ns.legacyModeration, by: by.toString() },
    xml('retract', { xmlns: ns.legacyRetraction }),
    reason === undefined ? undefined : xml('reason', {}, reason),
  );
  return [
    xml('retract', { xmlns: ns.retraction, id: messageId }, ...moderationElements(moderation)),
    xml('apply-to', { xmlns: ns.fastening, id: messageId }, legacy),
  ];
}

/** The message without its content: what is left when it was taken back (XEP-0424 §4, XEP-0425 §5). */
export function retracted(
  payload: Payload,
  retraction: { readonly id: string | undefined; readonly atMs: number; readonly moderation?: Moderation | undefined },
): Payload {
  const { id, atMs, moderation } = retraction;
  const kept = new Set<string>([ns.occupantId, ns.stanzaId, ns.delay]);
  return payload
    .without((child) => !kept.has(child.ns))
    .with(
      xml(
        'retracted',
        { xmlns: ns.retraction, id, stamp: formatDateTime(atMs) },
        ...(moderation ? moderationElements(moderation) : []),
      ),
    );
}

/** Whether a message was taken back. */
export function isRetracted(payload: Payload): boolean {
  return payload.has('retracted', ns.retraction);
}

function moderationElements({ by, occupantId, reason }: Moderation): Element[] {
  const moderated = xml(
    'moderated',
    { xmlns: ns.moderation, by: by.toString() },
    xml('occupant-id', { xmlns: ns.occupantId, id: occupantId }),
  );
  return reason === undefined ? [moderated] : [moderated, xml('reason', {}, reason)];
}
