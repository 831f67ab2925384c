import { formElement } from '../protocol/data-form.ts';
import { formatDateTime } from '../protocol/date-time.ts';
import { forwardedPayload } from '../protocol/forwarded.ts';
import { ns } from '../protocol/namespaces.ts';
import { resultSetElement } from '../protocol/result-set.ts';
import { Stanza } from '../protocol/stanza.ts';
import type { ArchivedId } from '../storage/archive.ts';
import { timeOfId } from '../storage/ordered-ids.ts';
import { type Element, xml } from '../xml/element.ts';
import type { FoundMessage, Page } from './pages.ts';
import { type ArchiveQuery, queryForm } from './query.ts';

/** Writes the id of a message as clients see it. */
type WriteId<Id extends ArchivedId = ArchivedId> = (message: Id) => string;

/** The form of queries (XEP-0313 §4.1.5). */
export function queryFormElement(): Element {
  return xml('query', { xmlns: ns.archive }, formElement(queryForm));
}

/** The messages with the results (XEP-0313 §4.2). Each is made when the client can take it. */
export function* resultMessages(
  { messages }: Page,
  { flipped, queryId }: ArchiveQuery,
  idOf: WriteId,
): Generator<Stanza> {
  for (const found of flipped ? messages.toReversed() : messages) {
    const attributes = { queryid: queryId, id: idOf(found) };
    const wrapper = { name: 'result', ns: ns.archive, attributes };
    yield new Stanza('message', {}, forwardedPayload(wrapper, found.message, timeOfId(found.id)));
  }
}

/** The answer behind the results (XEP-0313 §4.3). */
export function finElement({ messages, complete, count }: Page, { isFirstPage }: ArchiveQuery, idOf: WriteId): Element {
  const end = (found: FoundMessage | undefined) => found && idOf(found);
  const [first, last] = [end(messages[0]), end(messages.at(-1))];
  const set = resultSetElement({ first, last, index: isFirstPage ? 0 : undefined, count });
  return xml('fin', { xmlns: ns.archive, complete: complete ? 'true' : undefined }, set);
}

/** The first and the last message of an archive (XEP-0313 §5). */
export function metadataElement<Id extends ArchivedId>(
  bounds: readonly [first: Id, last: Id] | undefined,
  idOf: WriteId<Id>,
): Element {
  const end = (name: string, message: Id) =>
    xml(name, { id: idOf(message), timestamp: formatDateTime(timeOfId(message.id)) });
  return xml('metadata', { xmlns: ns.archive }, ...(bounds ? [end('start', bounds[0]), end('end', bounds[1])] : []));
}
