import { childElements, type Element, nsOf, textOf, xml } from '../xml/element.ts';
import { ns } from './namespaces.ts';
import { StanzaError } from './stanza-error.ts';

/** How many items a page has: if the request does not say, and at most. */
export interface PageLimits {
  readonly usual: number;
  readonly most: number;
}

/** Which page is asked for. `after` and `before` together bound a range from both sides. */
export interface PageRequest {
  /** The greatest number of items wanted, already within the limits; 0 asks for the count alone, XEP-0059 §2.6. */
  readonly max: number;
  /** The page begins behind this item. */
  readonly after?: string;
  /** The page ends in front of this item; '' asks for the last page, XEP-0059 §2.5. */
  readonly before?: string;
  /** The page begins at this position, XEP-0059 §2.4. */
  readonly index?: number;
}

/** What is known of a page that is sent. */
export interface Page {
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  /** The position of the first item in the whole set. */
  readonly index?: number | undefined;
  /** The size of the whole set. */
  readonly count?: number | undefined;
}

function readNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw StanzaError.badRequest(`<${name}/> is not a number`);
  return Number(text);
}

function readParts(set: Element): Map<string, string> {
  const parts = new Map<string, string>();
  for (const child of childElements(set)) {
    if (nsOf(child) !== ns.resultSet) continue;
    const name = child.getName();
    if (parts.has(name)) throw StanzaError.badRequest(`<${name}/> more than once`);
    parts.set(name, textOf(child));
  }
  return parts;
}

/** Reads the `<set/>` of a request, XEP-0059 §2; without one the first page is meant. Throws `bad-request`. */
export function readPageRequest(set: Element | undefined, limits: PageLimits): PageRequest {
  const parts = set === undefined ? new Map<string, string>() : readParts(set);
  const max = Math.min(readNumber('max', parts.get('max')) ?? limits.usual, limits.most);
  const index = readNumber('index', parts.get('index'));
  const before = parts.get('before');
  // An empty <after/> stands in front of the first item, which is where a page begins anyway.
  const after = parts.get('after') || undefined;
  if (index !== undefined && (before !== undefined || after !== undefined)) {
    throw StanzaError.badRequest('<index/> excludes <after/> and <before/>');
  }
  return {
    max,
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    ...(index === undefined ? {} : { index }),
  };
}

/** The `<set/>` that goes with a page, XEP-0059 §2. */
export function pageElement(page: Page): Element {
  const { first, last, index, count } = page;
  return xml(
    'set',
    { xmlns: ns.resultSet },
    first === undefined ? undefined : xml('first', { index }, first),
    last === undefined ? undefined : xml('last', {}, last),
    count === undefined ? undefined : xml('count', {}, String(count)),
  );
}
