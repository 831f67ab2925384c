import { childElements, type Element, nsOf, textOf, xml } from '../xml/element.ts';
import { ns } from './namespaces.ts';
import { StanzaError } from './stanza-error.ts';

/** Which page of a long result a requester wants (XEP-0059 §2). */
export interface ResultSetRequest {
  /** The most items of the page; 0 asks for the count alone. */
  readonly max?: number;
  /** The page begins behind the item with this id. */
  readonly after?: string;
  /** The page ends before the item with this id; '' asks for the last page. */
  readonly before?: string;
  /** How many items stand before the page; it needs items that are numbered. */
  readonly index?: number;
}

/** What is said about the page that was sent (XEP-0059 §2). */
interface ResultSetPage {
  /** The ids of the first and the last item; absent if the page is empty. */
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  /** How many items stand before the page, if that is known. */
  readonly index?: number | undefined;
  /** How many items there are on all pages, if that is known. */
  readonly count?: number | undefined;
}

/** The `<set/>` in the payload of a request. Throws `bad-request` if a number in it is none, or if a part comes twice. */
export function readResultSet(request: Element): ResultSetRequest {
  const sets = childElements(request).filter((child) => child.getName() === 'set' && nsOf(child) === ns.resultSet);
  const [set] = sets;
  if (sets.length > 1) throw StanzaError.badRequest('a request has one <set/>');
  if (!set) return {};
  const [max, index] = [numberIn(set, 'max'), numberIn(set, 'index')];
  const [after, before] = [textIn(set, 'after'), textIn(set, 'before')];
  return {
    ...(max !== undefined && { max }),
    ...(after !== undefined && { after }),
    ...(before !== undefined && { before }),
    ...(index !== undefined && { index }),
  };
}

/** The `<set/>` of an answer. */
export function resultSetElement({ first, last, index, count }: ResultSetPage): Element {
  return xml(
    'set',
    { xmlns: ns.resultSet },
    first === undefined ? undefined : xml('first', { index }, first),
    last === undefined ? undefined : xml('last', {}, last),
    count === undefined ? undefined : xml('count', {}, String(count)),
  );
}

function textIn(set: Element, name: string): string | undefined {
  const found = childElements(set).filter((child) => child.getName() === name && nsOf(child) === ns.resultSet);
  if (found.length > 1) throw StanzaError.badRequest(`<set/> has <${name}/> once`);
  return found[0] && textOf(found[0]).trim();
}

function numberIn(set: Element, name: string): number | undefined {
  const text = textIn(set, name);
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw StanzaError.badRequest(`<${name}/> is not a number`);
  return Number(text);
}
