import { type ResultSetRequest, resultSetElement } from '../../protocol/result-set.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { NodeItem } from '../../routing/personal-nodes.ts';
import type { Element } from '../../xml/element.ts';

/** A part of the items of a node, in the order of publication. */
interface Part {
  readonly start: number;
  readonly end: number;
  /** The part was asked for by its end: if it is too large, its beginning is left out. */
  readonly fromEnd: boolean;
}

/** Bytes of payloads in one answer, unless one item has more. A client has to take an answer as a whole. */
const maxAnswerBytes = 524_288;

/** The part of a list of items that a request asks for (XEP-0059 §2). Throws `item-not-found` if it begins or ends at an unknown item. */
export function partOf(ids: readonly string[], { max, after, before, index }: ResultSetRequest): Part {
  const position = (id: string) => {
    const found = ids.indexOf(id);
    if (found < 0) throw StanzaError.itemNotFound();
    return found;
  };
  const most = max ?? ids.length;
  const first = after === undefined ? (index ?? 0) : position(after) + 1;
  if (first > ids.length) throw StanzaError.itemNotFound();
  if (before === undefined) return { start: first, end: Math.min(first + most, ids.length), fromEnd: false };
  const end = before === '' ? ids.length : position(before);
  return { start: Math.max(first, end - most), end, fromEnd: true };
}

/** As many items as fit into one answer, from one end on; at least one. */
export function withinAnswer(items: readonly NodeItem[], fromEnd: boolean): readonly NodeItem[] {
  const ordered = fromEnd ? items.toReversed() : items;
  let bytes = 0;
  const tooMany = ordered.findIndex(({ payload }, at) => {
    bytes += payload.length;
    return at > 0 && bytes > maxAnswerBytes;
  });
  if (tooMany < 0) return items;
  return fromEnd ? items.slice(items.length - tooMany) : items.slice(0, tooMany);
}

/** The `<set/>` that says which of `count` items an answer has (XEP-0060 §6.5.4). */
export function setOf(items: readonly NodeItem[], ids: readonly string[]): Element {
  const [first, last] = [items[0]?.id, items.at(-1)?.id];
  const index = first === undefined ? undefined : ids.indexOf(first);
  return resultSetElement({ first, last, index, count: ids.length });
}
