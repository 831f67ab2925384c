import type { Stanza } from '../../protocol/stanza.ts';
import { iqResult } from '../../protocol/stanza-replies.ts';
import type { Element } from '../../xml/element.ts';
import type { Announcement } from './decision.ts';

/** The result of a request, in its place among the announcements. */
export function answer(request: Stanza, payload?: Element): Announcement {
  const stanza = iqResult(request, payload);
  return { stanza, to: stanza.to ? [stanza.to] : [] };
}
